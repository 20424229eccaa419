"""One signature over some bytes, with the identifier that tells how it was made. Deterministic where the kind allows.

The hash follows the key: a curve gets the SHA-2 of its own strength, RSA gets SHA-256, the others bring their own.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import SignatureAlgorithmOID

from nestor.errors import MaterialError
from nestor.est.der import NULL, oid, sequence

_BY_CURVE: dict[str, tuple[hashes.HashAlgorithm, bytes]] = {
    "secp256r1": (hashes.SHA256(), sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256))),
    "secp384r1": (hashes.SHA384(), sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA384))),
    "secp521r1": (hashes.SHA512(), sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA512))),
}
_RSA = sequence(oid(SignatureAlgorithmOID.RSA_WITH_SHA256), NULL)
_ED25519 = sequence(oid(SignatureAlgorithmOID.ED25519))
_ML_DSA = {
    mldsa.MLDSA44PrivateKey: sequence(oid(SignatureAlgorithmOID.ML_DSA_44)),
    mldsa.MLDSA65PrivateKey: sequence(oid(SignatureAlgorithmOID.ML_DSA_65)),
    mldsa.MLDSA87PrivateKey: sequence(oid(SignatureAlgorithmOID.ML_DSA_87)),
}


class Signature(NamedTuple):
    """A signature and the DER of its AlgorithmIdentifier."""

    algorithm: bytes
    value: bytes


def sign(key: CertificateIssuerPrivateKeyTypes, data: bytes) -> Signature:
    """Sign bytes. Raises MaterialError for a key of a kind that signs nothing here."""
    match key:
        case ec.EllipticCurvePrivateKey() if key.curve.name in _BY_CURVE:
            digest, algorithm = _BY_CURVE[key.curve.name]
            return Signature(algorithm, key.sign(data, ec.ECDSA(digest, deterministic_signing=True)))
        case rsa.RSAPrivateKey():
            return Signature(_RSA, key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
        case ed25519.Ed25519PrivateKey():
            return Signature(_ED25519, key.sign(data))
        case mldsa.MLDSA44PrivateKey() | mldsa.MLDSA65PrivateKey() | mldsa.MLDSA87PrivateKey():
            return Signature(_ML_DSA[type(key)], key.sign(data))
        case _:
            raise MaterialError("A key of this kind signs nothing here.", "Use P-256, P-384, P-521, RSA or Ed25519.")
