"""Whether a chain still leads to the parent that there was: to its root, or one that it vouches for. Pure."""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.errors import Unavailable
from nestor.upstream.rollover import is_ca, is_signed_by


class OtherParent(Unavailable):
    """The server above is another one than before, by its root."""


def check_succession(
    old: x509.Certificate, new: x509.Certificate, shown: Sequence[x509.Certificate], approved: bytes | None
) -> None:
    """Raise OtherParent where another root stands above, that nobody vouches for.

    The old root does by signing the new one's key (NewWithOld, RFC 9810, 4.4), the operator by its SHA-256.
    """
    digest = new.fingerprint(SHA256())
    if new == old or digest == approved or vouches(old, new, shown):
        return
    raise OtherParent(
        f"The server above issues under another root, {digest.hex()}, for which the old one does not vouch. What this "
        "server has from it stays in force.",
        "Ask its operator. Where the new one is right, name its SHA-256 in upstream.root.",
    )


def vouches(old: x509.Certificate, new: x509.Certificate, shown: Sequence[x509.Certificate]) -> bool:
    """Whether the old root signed the new one's key, in that very certificate or in one that links them."""
    return any(_links(one, old, new) for one in (new, *shown))


def _links(link: x509.Certificate, old: x509.Certificate, new: x509.Certificate) -> bool:
    if link.subject != new.subject or _spki(link) != _spki(new):
        return False
    # A root may issue to devices as well, and what one of those has is a key and a name, but no root.
    return is_ca(link) and is_signed_by(link, old)


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
