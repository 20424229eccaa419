"""What kind of key a request is for: the eight kinds that a profile can allow, and names for the others.

A kind that nobody can allow is told by its name, never guessed to be a similar one: RSASSA-PSS is not RSA.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, mlkem, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.est import oids
from nestor.est.der import OID, Reader, oid, read_oid
from nestor.model import KeyType

_Entry = TypeVar("_Entry")

KEM_NAMES = frozenset({"ML-KEM-768", "ML-KEM-1024", "X25519", "X448"})
"""Keys that cannot sign, so that a request for them proves nothing (RFC 7030, 4.2)."""

_CURVES = {"secp256r1": KeyType.EC_P256, "secp384r1": KeyType.EC_P384, "secp521r1": KeyType.EC_P521}
_KINDS: Mapping[type, KeyType] = {
    rsa.RSAPublicKey: KeyType.RSA,
    ed25519.Ed25519PublicKey: KeyType.ED25519,
    mldsa.MLDSA44PublicKey: KeyType.ML_DSA_44,
    mldsa.MLDSA65PublicKey: KeyType.ML_DSA_65,
    mldsa.MLDSA87PublicKey: KeyType.ML_DSA_87,
}
_RSASSA_PSS = oid(oids.RSASSA_PSS)
_OTHERS: Mapping[type, str] = {
    dsa.DSAPublicKey: "DSA",
    ed448.Ed448PublicKey: "Ed448",
    x25519.X25519PublicKey: "X25519",
    x448.X448PublicKey: "X448",
    mlkem.MLKEM768PublicKey: "ML-KEM-768",
    mlkem.MLKEM1024PublicKey: "ML-KEM-1024",
}


class PublicKey(NamedTuple):
    """A key, its kind and its size; `spki` is its SubjectPublicKeyInfo, in the one usual form where the kind is known.

    `bits` is the size of an RSA modulus or of a curve, and of the key's own bytes for the others.
    """

    key: CertificatePublicKeyTypes | None
    kind: KeyType | None
    name: str
    bits: int
    spki: bytes


def read_public_key(csr: x509.CertificateSigningRequest, spki: bytes) -> PublicKey:
    """The key of a request; `spki` is what the request says it is. Raises what the parser raises."""
    try:
        key = csr.public_key()
    except UnsupportedAlgorithm:
        return PublicKey(None, None, _algorithm_name(spki), 0, spki)
    # A PSS key may sign one way only; the parser forgets this, so it must not pass for a plain RSA key.
    pss = isinstance(key, rsa.RSAPublicKey) and _algorithm(spki).take(OID).encoded == _RSASSA_PSS
    kind = None if pss else kind_of(key)
    if kind is None:
        return PublicKey(None, None, "RSASSA-PSS" if pss else _name(key), _size(key), spki)
    # One key has several encodings; with one of them only, a key that was used before is recognized.
    usual = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(key, kind, kind.value, _size(key), usual)


def kind_of(key: CertificatePublicKeyTypes) -> KeyType | None:
    """The kind of a key; None for one that no profile can allow. A PSS key reads as RSA here."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    return _look_up(_KINDS, key)


def _name(key: CertificatePublicKeyTypes) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name
    return _look_up(_OTHERS, key) or type(key).__name__


def _look_up(table: Mapping[type, _Entry], key: object) -> _Entry | None:
    # The types are abstract: a key is none of them itself, but an instance of one.
    return next((entry for kind, entry in table.items() if isinstance(key, kind)), None)


def _size(key: CertificatePublicKeyTypes) -> int:
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | dsa.DSAPublicKey):
        return key.key_size
    return len(cast("ed25519.Ed25519PublicKey", key).public_bytes_raw()) * 8


def _algorithm_name(spki: bytes) -> str:
    """The curve, or else the algorithm, of a key that cannot be loaded. Raises BadDER."""
    algorithm = _algorithm(spki)
    identifier = read_oid(algorithm.take(OID))
    if identifier == oids.EC_PUBLIC_KEY and algorithm.next_tag == OID:
        return f"curve {read_oid(algorithm.take()).dotted_string}"
    return identifier.dotted_string


def _algorithm(spki: bytes) -> Reader:
    return Reader(spki).enter().enter()
