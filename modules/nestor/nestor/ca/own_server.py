"""The TLS certificate of this server itself: a profile of its own, in no catalog, so that no request can get it."""

from collections.abc import Sequence
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.ca.content import Content, Key
from nestor.ca.own_names import own_names
from nestor.ca.profile import build_profile
from nestor.ca.settings import ProfileSettings

PROFILE = "ownServer"
"""What the ledger calls it; no profile of the document may have this name."""

_LONGEST_COMMON_NAME = 64
_NAMELESS = "Nestor"
_SHORTEST_LIFE = timedelta(minutes=1)
"""However little time the CA has left, the server needs a certificate to say so."""


def server_content(names: Sequence[str], key: Key, lifetime: timedelta) -> Content:
    """What the certificate says: every name as alternative name, the first that fits as common name as well."""
    settings = ProfileSettings.model_validate(
        {"lifetime": lifetime, "jitter": "0%", "minimumLifetime": _SHORTEST_LIFE, "extendedKeyUsage": "serverAuth"}
    )
    common_name = next((name for name in names if len(name) <= _LONGEST_COMMON_NAME), _NAMELESS)
    return Content(
        profile=build_profile(PROFILE, settings),
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]),
        alternative_names=tuple(own_names(names).general_names()),
        extended_key_usage=(ExtendedKeyUsageOID.SERVER_AUTH,),
        key=key,
    )
