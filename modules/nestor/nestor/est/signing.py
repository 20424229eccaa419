"""One signature over some bytes, and the algorithms that tell how it was made. Deterministic where the kind allows.

The hash follows the key: a curve gets the SHA-2 of its own strength, RSA gets SHA-256. The others bring their own, and
where CMS wants a digest beside them it is SHA-512 (RFC 8419, 2.3; RFC 9882, 3.3).
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import SignatureAlgorithmOID

from nestor.errors import MaterialError
from nestor.est import oids
from nestor.est.der import NULL, BadDER, oid, sequence

DIGESTS: Mapping[ObjectIdentifier, hashes.HashAlgorithm] = {
    oids.SHA256: hashes.SHA256(),
    oids.SHA384: hashes.SHA384(),
    oids.SHA512: hashes.SHA512(),
}
"""The hashes that signatures are made with here."""


class Scheme(NamedTuple):
    """How a key signs: the DER of the AlgorithmIdentifier, and the hash that goes with it."""

    algorithm: bytes
    digest: ObjectIdentifier


_CURVES = {
    "secp256r1": Scheme(sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256)), oids.SHA256),
    "secp384r1": Scheme(sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA384)), oids.SHA384),
    "secp521r1": Scheme(sequence(oid(SignatureAlgorithmOID.ECDSA_WITH_SHA512)), oids.SHA512),
}
_RSA = Scheme(sequence(oid(SignatureAlgorithmOID.RSA_WITH_SHA256), NULL), oids.SHA256)
_Hashless = ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
_HashlessPublic = ed25519.Ed25519PublicKey | mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
_HASHLESS = {
    ed25519.Ed25519PrivateKey: oids.ED25519,
    mldsa.MLDSA44PrivateKey: oids.ML_DSA_44,
    mldsa.MLDSA65PrivateKey: oids.ML_DSA_65,
    mldsa.MLDSA87PrivateKey: oids.ML_DSA_87,
}


def scheme_of(key: CertificateIssuerPrivateKeyTypes) -> Scheme:
    """How a key signs. Raises MaterialError for one of a kind that signs nothing here."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA
    for kind, algorithm in _HASHLESS.items():
        if isinstance(key, kind):
            return Scheme(sequence(oid(algorithm)), oids.SHA512)
    raise MaterialError("A key of this kind signs nothing here.", "Use P-256, P-384, P-521, RSA or Ed25519.")


def sign(key: CertificateIssuerPrivateKeyTypes, data: bytes) -> bytes:
    """Sign bytes in the scheme of the key. Raises MaterialError."""
    digest = DIGESTS[scheme_of(key).digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(digest, deterministic_signing=True))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    return cast("_Hashless", key).sign(data)


def verify(key: CertificatePublicKeyTypes, digest: ObjectIdentifier, data: bytes, signature: bytes) -> None:
    """Check a signature over bytes. Raises InvalidSignature, or BadDER for a key or hash that is not taken here."""
    used = DIGESTS.get(digest)
    if used is None:
        raise BadDER("it is signed with a hash that is not taken")
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(used))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), used)
    elif isinstance(key, _HashlessPublic):
        key.verify(signature, data)
    else:
        raise BadDER("it is signed with a key of a kind that is not taken")
