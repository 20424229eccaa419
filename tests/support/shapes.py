"""Certification requests in every shape that devices send, and in some that nobody should; DER, built by hand.

What aziot-certd asks for is shaped as its callers shape it: device identity, EST identity, Edge CA, local identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.der import bits, elements, integer, octets, oid, printable, sequence, set_of, split, tlv, utf8

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
CMC_RA = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28")

CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"
CHANGE_SUBJECT_NAME = "1.3.6.1.5.5.7.7.36"
DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37"
ASYMMETRIC_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_ECDSA: dict[str, tuple[bytes, hashes.HashAlgorithm]] = {
    "secp256r1": (sequence(oid("1.2.840.10045.4.3.2")), hashes.SHA256()),
    "secp384r1": (sequence(oid("1.2.840.10045.4.3.3")), hashes.SHA384()),
}
_RSA_SHA256 = sequence(oid("1.2.840.113549.1.1.11"), b"\x05\x00")


@dataclass(frozen=True)
class Request:
    """A request and the key that it is for."""

    der: bytes
    key: Any


@dataclass(frozen=True)
class Extension:
    """An extension to be asked for."""

    value: x509.ExtensionType
    critical: bool = False

    @property
    def der(self) -> bytes:
        flag = [b"\x01\x01\xff"] if self.critical else []
        return sequence(oid(self.value.oid.dotted_string), *flag, octets(self.value.public_bytes()))


def request(
    subject: str | x509.Name | bytes,
    key: Any = None,
    extensions: Sequence[Extension] = (),
    attributes: Sequence[bytes] = (),
    *,
    spki: bytes | None = None,
) -> Request:
    """A request as asked; its key is a fresh P-256 key unless another is given. `spki` names a key of another kind."""
    key = key or p256()
    asked = [attribute(_EXTENSION_REQUEST, sequence(*(one.der for one in extensions)))] if extensions else []
    info = sequence(integer(0), _name(subject), spki or spki_of(key), tlv(0xA0, *sorted((*asked, *attributes))))
    algorithm, signature = _sign(key, info)
    return Request(sequence(info, algorithm, bits(signature)), key)


def device_identity(device: str, key: Any = None) -> Request:
    """What identityd asks for: RSA-2048, no extensions."""
    return request(device, key or rsa2048())


def est_identity(name: str, key: Any = None) -> Request:
    """What certd asks for to authenticate itself: P-256, clientAuth."""
    return request(name, key, [client_auth()])


def edge_ca(device: str, key: Any = None) -> Request:
    """What edged asks for: RSA-2048, a CA with path length 0."""
    usage = Extension(_key_usage("digital_signature", "key_cert_sign"), critical=True)
    constraints = Extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return request(f"aziot-edge CA {device}", key or rsa2048(), [usage, constraints])


def local_identity(name: str, *, server: bool = False) -> Request:
    """What identityd asks for on behalf of a module that is reached locally."""
    usages = [CLIENT_AUTH, SERVER_AUTH] if server else [CLIENT_AUTH]
    usage = _key_usage("digital_signature", "content_commitment", "key_encipherment")
    constraints = Extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    wanted = [constraints, Extension(usage, critical=True), purposes(*usages, critical=True)]
    return request(name, rsa2048(), wanted)


def server(name: str) -> Request:
    """A request for a server certificate."""
    return request(name, None, [dns_names(name), purposes(SERVER_AUTH)])


def client_auth() -> Extension:
    return purposes(CLIENT_AUTH)


def purposes(*usages: x509.ObjectIdentifier, critical: bool = False) -> Extension:
    return Extension(x509.ExtendedKeyUsage(usages), critical)


def dns_names(*names: str) -> Extension:
    return alternative_names(*(x509.DNSName(name) for name in names))


def ip_names(*addresses: str) -> Extension:
    return alternative_names(*(x509.IPAddress(ip_address(address)) for address in addresses))


def alternative_names(*names: x509.GeneralName) -> Extension:
    return Extension(x509.SubjectAlternativeName(names))


def key_usage(*names: str) -> Extension:
    """Key usage bits by their names in cryptography."""
    return Extension(_key_usage(*names), critical=True)


def attribute(kind: str, *values: bytes) -> bytes:
    return sequence(oid(kind), set_of(*values))


def challenge(text: str) -> bytes:
    """A challengePassword attribute."""
    return attribute(CHALLENGE_PASSWORD, printable(text))


def new_names(subject: str | None, *dns: str) -> bytes:
    """A ChangeSubjectName attribute (RFC 6402, 2.8, with erratum 3943)."""
    names = [tlv(0xA1, *(tlv(0x82, name.encode()) for name in dns))] if dns else []
    return attribute(CHANGE_SUBJECT_NAME, sequence(*([_name(subject)] if subject else []), *names))


def wrapping(kind: str, key_id: bytes, *algorithms: str) -> list[bytes]:
    """The attributes that ask for a key to be wrapped (RFC 7030, 4.4.1)."""
    capabilities = sequence(*(sequence(oid(algorithm)) for algorithm in algorithms))
    return [attribute(kind, octets(key_id)), attribute(SMIME_CAPABILITIES, capabilities)]


def broken(asked: Request) -> bytes:
    """The request with its signature spoiled."""
    return asked.der[:-1] + bytes([asked.der[-1] ^ 1])


def spki_of(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa2048() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def common_name(text: str, string: type = str) -> bytes:
    """A subject of one common name; `bytes` for PrintableString instead of UTF8String."""
    value = printable(text) if string is bytes else utf8(text)
    return sequence(set_of(sequence(oid(NameOID.COMMON_NAME.dotted_string), value)))


def _name(subject: str | x509.Name | bytes) -> bytes:
    match subject:
        case str():
            return common_name(subject)
        case x509.Name():
            return subject.public_bytes()
        case _:
            return subject


def _sign(key: Any, info: bytes) -> tuple[bytes, bytes]:
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA_SHA256, key.sign(info, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm, digest = _ECDSA[key.curve.name]
        return algorithm, key.sign(info, ec.ECDSA(digest))
    # EdDSA and ML-DSA sign under the identifier that their keys carry.
    return _algorithm_of(spki_of(key)), key.sign(info)


def _algorithm_of(spki: bytes) -> bytes:
    ((_, content),) = elements(spki)
    return split(content)[0]


def _key_usage(*names: str) -> x509.KeyUsage:
    known = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in known.split()})
