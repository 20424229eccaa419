"""What a device asks for, as IoT Edge has it: identityd, certd and edged each in their shape, names and keys included.

The body is what aziot-certd makes of it: base64 in lines of 64 columns, without PEM's lines around.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.doctor.seen import TLSKey
from nestor.errors import SettingsError
from nestor.est import pkcs10, transfer
from nestor.est.pkcs10 import Extension
from nestor.est.transfer import Dialect
from nestor.naming import EDGE_CA_PREFIX

_RSA_BITS, _RSA_EXPONENT = 2048, 65537
_LONGEST_NAME = 64


class Kind(StrEnum):
    """The certificates that a device has from EST."""

    EST_IDENTITY = "EST identity"
    DEVICE_IDENTITY = "device identity"
    EDGE_CA = "Edge CA"


_EDGE_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)

_EXTENSIONS: Mapping[Kind, Sequence[Extension]] = {
    Kind.EST_IDENTITY: [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)],
    Kind.DEVICE_IDENTITY: [],
    Kind.EDGE_CA: [(x509.BasicConstraints(ca=True, path_length=0), True), (_EDGE_CA_USAGE, True)],
}


def make_key(kind: Kind) -> TLSKey:
    """A new key of the kind that the device makes."""
    if kind is Kind.EST_IDENTITY:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)


def common_name(kind: Kind, device: str) -> str:
    """The name that the certificate is asked for; IoT Edge cuts it at what a common name can hold."""
    return (f"{EDGE_CA_PREFIX}{device}" if kind is Kind.EDGE_CA else device)[:_LONGEST_NAME]


def check_device(device: str) -> None:
    """Refuse a device id that no certificate can carry. Raises SettingsError."""
    if not 0 < len(device) <= _LONGEST_NAME or not device.isprintable():
        raise SettingsError(
            f"No certificate can carry the device id {device!r}.",
            f"A common name has 1 to {_LONGEST_NAME} characters (RFC 5280).",
        )


def write_request(kind: Kind, device: str, key: TLSKey) -> bytes:
    """The body of a simpleenroll."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name(kind, device))])
    return wrapped(pkcs10.build(key, subject, extensions=_EXTENSIONS[kind]))


def wrapped(content: bytes) -> bytes:
    """Bytes as aziot-certd sends them."""
    return transfer.encode(content, Dialect.WRAPPED)
