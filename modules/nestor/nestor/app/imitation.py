"""The requests of a device, shaped as the services of IoT Edge shape them: device identity, EST identity, Edge CA."""

from collections.abc import Mapping
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.ca.subjects import attribute_type
from nestor.device.requests import Kind
from nestor.est import pkcs10
from nestor.keys.make import generate
from nestor.model import KeyType
from nestor.upstream.wish import Wish, edge_ca, est_identity

_RSA_BITS = 2048


def key_for(kind: Kind) -> CertificateIssuerPrivateKeyTypes:
    """A key as the device makes it: EC P-256 for an EST identity, RSA for all else."""
    return generate(KeyType.EC_P256 if kind is Kind.EST_IDENTITY else KeyType.RSA, _RSA_BITS)


def request_for(kind: Kind, subject: Mapping[str, str], key: CertificateIssuerPrivateKeyTypes) -> bytes:
    """The request as DER. Raises ValueError for a subject that no certificate can have."""
    wish = Wish(_name(subject))
    match kind:
        case Kind.EST_IDENTITY:
            wish = est_identity(wish)
        case Kind.EDGE_CA:
            wish = replace(edge_ca("any"), subject=wish.subject)
        case Kind.DEVICE_IDENTITY:
            pass
    return pkcs10.build(key, wish.subject, extensions=wish.extensions)


def _name(subject: Mapping[str, str]) -> x509.Name:
    """The subject in the order of its keys, as certd writes it. Raises ValueError."""
    attributes = []
    for word, value in sorted(subject.items()):
        kind = attribute_type(word)
        if kind is None:
            raise ValueError(f"there is no attribute {word}")
        try:
            attributes.append(x509.NameAttribute(kind, value))
        except ValueError as error:
            raise ValueError(f"{word} cannot be {value!r}") from error
    return x509.Name(attributes)
