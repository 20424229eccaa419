"""A CA that can sign: its certificate, its key, and the certificates above it up to its root. Checked when loaded.

Where the key is kept is not known here: it comes as a private-key object.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from nestor.ca.signing import SignatureAlgorithm, algorithm_for, signature_of

REMEDY = "Check the clock of this server, or renew the CA."
"""What to do about an issuer that is not valid at this time."""

UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
"""What the parsers of `cryptography` raise, some only when a property is asked for."""


@dataclass(frozen=True)
class Issuer:
    """A CA that can sign; `chain` holds what is above it, its root last; empty where it is a root itself.

    `former` are the CAs whose place it took, each with those above it: what they issued is good while it lasts.
    """

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()
    former: tuple[tuple[x509.Certificate, ...], ...] = ()

    @property
    def shown(self) -> tuple[x509.Certificate, ...]:
        """What devices are shown: the issuer first, then the former ones and what only those need, its root last."""
        before = [one for chain in self.former for one in chain if one not in self.certificates]
        return (self.certificate, *dict.fromkeys(before), *self.chain)

    @property
    def accepted(self) -> tuple[x509.Certificate, ...]:
        """Whose certificates are those of this CA: its own, and the former ones."""
        return (self.certificate, *(chain[0] for chain in self.former))

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The issuer first, its root last."""
        return (self.certificate, *self.chain)

    @cached_property
    def algorithm(self) -> SignatureAlgorithm:
        """What it signs with."""
        return algorithm_for(self.key.public_key())

    @cached_property
    def subject(self) -> x509.Name:
        """Its name."""
        return self.certificate.subject

    @cached_property
    def name(self) -> bytes:
        """Its name as DER."""
        return self.subject.public_bytes()

    @cached_property
    def key_identifier(self) -> bytes:
        """The key identifier that its certificates point back to (RFC 5280, 4.2.1.1)."""
        return key_identifier_of(self.certificate)

    @cached_property
    def end(self) -> datetime:
        """When the first of its certificates ends: nothing below it lives longer."""
        return min(certificate.not_valid_after_utc for certificate in self.certificates)

    @cached_property
    def start(self) -> datetime:
        """When the last of its certificates begins."""
        return max(certificate.not_valid_before_utc for certificate in self.certificates)

    @cached_property
    def room(self) -> int | None:
        """How many CAs may follow below it; None for any number (RFC 5280, 4.2.1.9)."""
        limits = [
            length - depth
            for depth, certificate in enumerate(self.certificates)
            if (length := constraints_of(certificate).path_length) is not None
        ]
        return min(limits, default=None)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate, in hexadecimal."""
        return fingerprint_of(self.certificate)

    def sign(self, content: bytes) -> bytes:
        """Sign with its key."""
        return signature_of(self.key, content)

    def problem(self, now: datetime) -> str | None:
        """Why it cannot issue at this time, as a sentence; None when it can."""
        if now < self.start:
            return f"The CA certificate {named(self.certificate)} is valid from {self.start:%Y-%m-%d %H:%M} UTC only."
        if now >= self.end:
            which = f"{named(self.certificate)}, or one above it,"
            return f"The CA certificate {which} ended at {self.end:%Y-%m-%d %H:%M} UTC."
        return None


def fingerprint_of(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate, in hexadecimal: the one thing that tells it from every other."""
    return certificate.fingerprint(SHA256()).hex()


def key_identifier_of(certificate: x509.Certificate) -> bytes:
    """The subject key identifier of a CA certificate, or the usual digest of its key where it has none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def constraints_of(certificate: x509.Certificate) -> x509.BasicConstraints:
    """The basic constraints of a certificate; not a CA where it has none (RFC 5280, 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)


def named(certificate: x509.Certificate) -> str:
    """A certificate by its subject, for a sentence."""
    return certificate.subject.rfc4514_string() or fingerprint_of(certificate)
