"""Certificates read for the purpose of judging them: what they may do, when they are good, who signed them. Pure.

Whatever a certificate's bytes make the parser raise, it is raised here as Unauthenticated.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.errors import Unauthenticated

_MOST_LINKS = 5
_LARGEST_RSA = 8192  # bits; as is the exponent
_LARGEST_EXPONENT = 32
_REMEMBERED = 64  # pairs; that many forwarders are busy at a time, and a certificate may be large

Value = TypeVar("Value", bound=x509.ExtensionType)

PRESENTED = "The certificate presented"
"""What sentences about a certificate begin with, so that it can be said whose it is."""

AGAIN = "Enroll with a password or a bootstrap certificate."
"""What a device can do whose certificate does not count."""


def extension_of(certificate: x509.Certificate, kind: type[Value]) -> Value | None:
    """The value of an extension, or None. Raises Unauthenticated for extensions that cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise Unauthenticated("The extensions of the certificate presented cannot be read.") from error


def alternative_names_of(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """The subject alternative names, in their order."""
    return tuple(extension_of(certificate, x509.SubjectAlternativeName) or ())


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it may issue certificates (RFC 5280, 4.2.1.9)."""
    constraints = extension_of(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def client_auth(certificate: x509.Certificate) -> bool | None:
    """Whether its extended key usage has clientAuth; None where it has no such extension (RFC 5280, 4.2.1.12)."""
    usages = extension_of(certificate, x509.ExtendedKeyUsage)
    return None if usages is None else ExtendedKeyUsageOID.CLIENT_AUTH in usages


def check_dates(certificate: x509.Certificate, now: datetime) -> None:
    """Raise Unauthenticated outside the validity (RFC 5280, 4.1.2.5): the handshake was earlier, maybe much earlier."""
    if now < certificate.not_valid_before_utc:
        sentence = f"{PRESENTED} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only."
        raise Unauthenticated(sentence, "Check the clocks of the device and of this server.")
    if now > certificate.not_valid_after_utc:
        sentence = f"{PRESENTED} expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC."
        raise Unauthenticated(sentence, AGAIN)


def check_purpose(certificate: x509.Certificate, *, silent: bool = False) -> None:
    """Raise Unauthenticated for a CA, and without clientAuth; `silent` takes one that tells no purpose at all."""
    if is_ca(certificate):
        raise Unauthenticated(f"{PRESENTED} is that of a CA; such a certificate does not authenticate.", AGAIN)
    stated = client_auth(certificate)
    if not stated and not (silent and stated is None):
        raise Unauthenticated(f"{PRESENTED} is not for clients: it lacks clientAuth.", AGAIN)


@lru_cache(maxsize=_REMEMBERED)
def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are behind the signature.

    It is so or not for ever, and a forwarder comes with the same certificate for every device below it.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def plausible(chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The links that a peer sent beside its certificate, as far as they are worth a look.

    Whoever presents a certificate chooses them: of many, or of keys that take long to verify with, none is tried.
    """
    return [link for link in chain[:_MOST_LINKS] if _is_quick(link)]


def _is_quick(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, rsa.RSAPublicKey):
        return True
    return key.key_size <= _LARGEST_RSA and key.public_numbers().e.bit_length() <= _LARGEST_EXPONENT


def spki_of(certificate: x509.Certificate) -> bytes | None:
    """The public key as DER; None for a kind that cannot be read."""
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def sha256_of(certificate: x509.Certificate) -> bytes:
    """The digest of the full DER: the only thing that tells a certificate from its forged twin."""
    return certificate.fingerprint(SHA256())
