"""Which of the certificates of a /cacerts answer count (RFC 7030, 4.1.3): the root, and what its key vouches for.

While a CA changes its key, the answer also holds the old root and the two that link old and new (RFC 9810, 4.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm


@dataclass(frozen=True, slots=True)
class CACertificates:
    """CA certificates by trust: `root`, then `linked` below it, and `strangers` that nothing links to it."""

    root: x509.Certificate | None
    linked: tuple[x509.Certificate, ...]
    strangers: tuple[x509.Certificate, ...]

    @property
    def trusted(self) -> tuple[x509.Certificate, ...]:
        """The root and what hangs below it."""
        return (*([self.root] if self.root is not None else []), *self.linked)

    @property
    def all(self) -> tuple[x509.Certificate, ...]:
        """Every one of them, whatever it is worth."""
        return (*self.trusted, *self.strangers)


def sort_out(certificates: Sequence[x509.Certificate]) -> CACertificates:
    """Take the self-signed certificate that lasts longest for the root, and follow signatures from there.

    The order on the wire means nothing.
    """
    roots = [certificate for certificate in certificates if is_signed_by(certificate, certificate)]
    root = max(roots, key=lambda certificate: certificate.not_valid_after_utc, default=None)
    linked = [root] if root is not None else []
    for issuer in linked:  # grows while it is walked
        linked.extend(one for one in certificates if one not in linked and is_signed_by(one, issuer))
    strangers = tuple(one for one in certificates if one not in linked)
    return CACertificates(root, tuple(linked[1:]), strangers)


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are behind the signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it may issue certificates (RFC 5280, 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False
