"""A CA put together from its parts: key, certificate and those above it; each checked against the others. Pure.

Somebody else made the parts, or a disk kept them for years: what does not fit is told before anything is issued.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.ca.issuer import UNREADABLE, Issuer, constraints_of, named
from nestor.ca.signing import algorithm_for
from nestor.errors import MaterialError


def read_certificates(pem: bytes, what: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text. Raises MaterialError; `what` names it in the sentence."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except UNREADABLE as error:
        raise MaterialError(f"{what} does not hold whole certificates as PEM.", "Restore it from a backup.") from error


def load_issuer(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], key: CertificateIssuerPrivateKeyTypes
) -> Issuer:
    """Put a CA together from its parts, in whatever order. Raises MaterialError where they do not fit."""
    try:
        _check_key(certificate, key)
        chain = chain_of(certificate, others)
        for link in (certificate, *chain):
            _check_ca(link)
        issuer = Issuer(certificate, key, chain)
        _check_room(issuer)
    except UNREADABLE as error:
        raise MaterialError("A CA certificate cannot be read: it is not one as RFC 5280 defines it.") from error
    else:
        return issuer


def _check_key(certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> None:
    algorithm_for(key.public_key())
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*encoding) != key.public_key().public_bytes(*encoding):
        raise MaterialError(
            f"The CA key does not belong to the CA certificate {named(certificate)}.",
            "Restore the two that were made together.",
        )


def _check_ca(certificate: x509.Certificate) -> None:
    if not constraints_of(certificate).ca:
        raise MaterialError(f"The certificate {named(certificate)} is not that of a CA.", "It needs CA:TRUE.")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.key_cert_sign:
        raise MaterialError(f"The CA certificate {named(certificate)} may not sign certificates: it lacks keyCertSign.")


def _check_room(issuer: Issuer) -> None:
    if issuer.room is not None and issuer.room < 0:
        raise MaterialError(
            f"The path length of a certificate above {named(issuer.certificate)} forbids it to issue anything."
        )


def chain_of(certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The certificates above one, in order, up to a self-signed one. Raises MaterialError where it is not there."""
    chain: list[x509.Certificate] = []
    link = certificate
    while not _issued_by(link, link):
        above = next((other for other in others if other not in chain and _issued_by(link, other)), None)
        if above is None:
            raise MaterialError(
                f"The chain of the CA ends at {named(link)}, which is not a root.",
                f"Add the certificate of {link.issuer.rfc4514_string()} to ca.chain, and so on up to the root.",
            )
        chain.append(above)
        link = above
    return tuple(chain)


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True
