"""Signatures on certificates: which algorithm a CA key uses, and the bytes that it makes. Pure but for the signature.

The table is the whole list: a key that is not in it does not sign here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificateIssuerPublicKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from nestor.errors import MaterialError

_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """A signature algorithm: its AlgorithmIdentifier as DER (RFC 5758, 4055, 8410), and its hash where it has one."""

    name: str
    der: bytes
    hash: HashAlgorithm | None


_ECDSA: Mapping[str, SignatureAlgorithm] = {
    "secp256r1": SignatureAlgorithm("ecdsa-with-SHA256", bytes.fromhex("300a06082a8648ce3d040302"), SHA256()),
    "secp384r1": SignatureAlgorithm("ecdsa-with-SHA384", bytes.fromhex("300a06082a8648ce3d040303"), SHA384()),
    "secp521r1": SignatureAlgorithm("ecdsa-with-SHA512", bytes.fromhex("300a06082a8648ce3d040304"), SHA512()),
}
_RSA = SignatureAlgorithm("sha256WithRSAEncryption", bytes.fromhex("300d06092a864886f70d01010b0500"), SHA256())
_ED25519 = SignatureAlgorithm("Ed25519", bytes.fromhex("300506032b6570"), None)


def algorithm_for(key: CertificateIssuerPublicKeyTypes | CertificatePublicKeyTypes) -> SignatureAlgorithm:
    """The algorithm that a CA key signs with. Raises MaterialError for a key that does not sign here."""
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in _ECDSA:
            return _ECDSA[key.curve.name]
        case rsa.RSAPublicKey() if key.key_size >= _SMALLEST_RSA:
            return _RSA
        case ed25519.Ed25519PublicKey():
            return _ED25519
        case _:
            raise MaterialError(
                "The CA has a key of a kind that does not sign certificates here.",
                f"Use ec-p256, ec-p384 or rsa of at least {_SMALLEST_RSA} bits.",
            )


def signature_of(key: CertificateIssuerPrivateKeyTypes, content: bytes) -> bytes:
    """Sign. Raises MaterialError for a key that does not sign here."""
    algorithm = algorithm_for(key.public_key())
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.hash is not None:
        return key.sign(content, ec.ECDSA(algorithm.hash))
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.hash is not None:
        return key.sign(content, padding.PKCS1v15(), algorithm.hash)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    raise MaterialError("The CA has a key of a kind that does not sign certificates here.")


def is_signature(key: CertificatePublicKeyTypes, signature: bytes, content: bytes) -> bool:
    """Whether bytes are the signature that the other half of a key makes."""
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, content, ec.ECDSA(_ECDSA[key.curve.name].hash or SHA256()))
            case rsa.RSAPublicKey():
                key.verify(signature, content, padding.PKCS1v15(), _RSA.hash or SHA256())
            case ed25519.Ed25519PublicKey():
                key.verify(signature, content)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def is_slow(key: CertificateIssuerPrivateKeyTypes) -> bool:
    """Whether a signature takes long enough to hold others up: RSA takes milliseconds, an EC key microseconds."""
    return not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey))
