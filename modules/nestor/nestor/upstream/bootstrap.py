"""First contact: a server's CA certificate is fetched from anybody and proved by a fingerprint (RFC 7030, 4.1.1).

The fingerprint, told by other means, takes the place of the human that the RFC lets compare. No credential is sent;
what comes of it is trust for a new session, which is verified as every other.
"""

import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from nestor.errors import SettingsError, Unavailable
from nestor.upstream.client import fetch_unverified
from nestor.upstream.rollover import is_ca
from nestor.upstream.trust import Trust

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def bootstrap(base_url: str, fingerprint: str, *, label: str | None = None) -> Trust:
    """Trust in the one CA certificate that has this SHA-256, and in nothing else that the server showed.

    Raises Unavailable where it shows none such, SettingsError for a fingerprint that is none.
    """
    wanted = parse_fingerprint(fingerprint)
    shown = await fetch_unverified(base_url, label)
    for certificate in shown:
        if certificate.fingerprint(hashes.SHA256()) == wanted and is_ca(certificate):
            return Trust((certificate,))
    raise Unavailable(
        f"{base_url} shows no CA certificate with the SHA-256 fingerprint {wanted.hex().upper()}; {_count(shown)}.",
        "Compare the fingerprint with the server's operator: either it is old, or somebody else answers there.",
    )


def parse_fingerprint(text: str) -> bytes:
    """Read a SHA-256 fingerprint in hex; colons and spaces are for the eye. Raises SettingsError."""
    digits = text.replace(":", "").replace(" ", "").lower()
    if not _SHA256.fullmatch(digits):
        raise SettingsError("The fingerprint is not a SHA-256: 64 hex digits.", "`nestor ca show` prints it.")
    return bytes.fromhex(digits)


def _count(shown: Sequence[x509.Certificate]) -> str:
    return "it shows one other" if len(shown) == 1 else f"it shows {len(shown)} others"
