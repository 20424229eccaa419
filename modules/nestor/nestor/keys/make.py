"""New private keys, of the kinds that the model names. Randomness is that of the operating system."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.model import KeyType

RSA_BITS = 3072
"""The size of an RSA key where nobody says another: 128 bits of strength (NIST SP 800-57)."""

_RSA_EXPONENT = 65537

_MAKERS: Mapping[KeyType, Callable[[], CertificateIssuerPrivateKeyTypes]] = {
    KeyType.EC_P256: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyType.EC_P384: lambda: ec.generate_private_key(ec.SECP384R1()),
    KeyType.EC_P521: lambda: ec.generate_private_key(ec.SECP521R1()),
    KeyType.ED25519: ed25519.Ed25519PrivateKey.generate,
    KeyType.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeyType.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeyType.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
}


def generate(key_type: KeyType, rsa_bits: int = RSA_BITS) -> CertificateIssuerPrivateKeyTypes:
    """A new private key; `rsa_bits` counts for RSA only, where it takes a second of CPU or more."""
    if key_type is KeyType.RSA:
        return rsa.generate_private_key(_RSA_EXPONENT, rsa_bits)
    return _MAKERS[key_type]()
