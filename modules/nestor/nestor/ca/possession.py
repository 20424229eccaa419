"""The certificate that proves to DPS and IoT Hub who holds the CA's key: its name is the code that they gave.

Its profile is in no catalog, so that no request can get one and none authenticates here; nobody keeps its key.
"""

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.ca.content import Content, Key
from nestor.ca.profile import build_profile
from nestor.ca.settings import ProfileSettings
from nestor.errors import MaterialError

PROFILE = "proofOfPossession"
"""What the ledger calls it; no profile of the document may have this name."""

LIFETIME = timedelta(days=1)
_LONGEST_COMMON_NAME = 64


def is_code(text: str) -> bool:
    """Whether a text can be a verification code."""
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_COMMON_NAME


def possession_content(code: str, key: Key) -> Content:
    """What the certificate says. Raises MaterialError for a code that no name can hold (RFC 5280, appendix A)."""
    if not is_code(code):
        raise MaterialError(
            "A verification code is up to 64 letters and digits.", "Copy it from DPS or IoT Hub, as it is shown there."
        )
    settings = ProfileSettings.model_validate({"lifetime": LIFETIME, "jitter": "0%", "extendedKeyUsage": "clientAuth"})
    return Content(
        profile=build_profile(PROFILE, settings),
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)]),
        alternative_names=(),
        extended_key_usage=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        key=key,
    )
