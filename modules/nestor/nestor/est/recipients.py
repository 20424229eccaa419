"""How a content key reaches its reader: under a shared key, an RSA key, or an agreement of EC keys (RFC 5652, 6.2).

Key wrapping is AES (RFC 3394, RFC 3565), key transport OAEP with SHA-256 (RFC 4055), key agreement the one-pass
ephemeral Diffie-Hellman of RFC 5753. The randomness of an ephemeral key and of OAEP is that of the library.
"""

from collections.abc import Collection

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.errors import Malformed
from nestor.est import oids
from nestor.est.der import (
    BIT_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    SEQUENCE,
    BadDER,
    Element,
    Reader,
    bits,
    context,
    integer,
    octets,
    oid,
    read_oid,
    reading,
    sequence,
    tlv,
)

Algorithms = Collection[x509.ObjectIdentifier]
"""What the reader says to understand; empty where it says nothing."""

_WRAPS = {16: oids.AES_128_WRAP, 24: oids.AES_192_WRAP, 32: oids.AES_256_WRAP}
_WRAP_BYTES = {wrap: size for size, wrap in _WRAPS.items()}
_AGREEMENTS: dict[str, tuple[x509.ObjectIdentifier, hashes.HashAlgorithm]] = {
    "secp256r1": (oids.STD_DH_SHA256_KDF, hashes.SHA256()),
    "secp384r1": (oids.STD_DH_SHA384_KDF, hashes.SHA384()),
    "secp521r1": (oids.STD_DH_SHA512_KDF, hashes.SHA512()),
}
_KDFS = {
    **dict(_AGREEMENTS.values()),
    # Read, never written: what OpenSSL uses unless told; no collision of SHA-1 helps against a derivation.
    oids.STD_DH_SHA1_KDF: hashes.SHA1(),  # noqa: S303 -- see above
}
_SHA256 = sequence(oid(oids.SHA256), NULL)
_OAEP = sequence(oid(oids.RSAES_OAEP), sequence(context(0, _SHA256), context(1, sequence(oid(oids.MGF1), _SHA256))))
_OAEP_PADDING = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_PKCS1 = sequence(oid(oids.RSA_ENCRYPTION), NULL)
_PADDINGS = {_OAEP: _OAEP_PADDING, _PKCS1: padding.PKCS1v15()}
_TRANSPORTS = frozenset({oids.RSAES_OAEP, oids.RSA_ENCRYPTION})
_KARI, _KEKRI = 0xA1, 0xA2
_ORIGINATOR, _ORIGINATOR_KEY, _KEYING_MATERIAL = 0xA0, 0xA1, 0xA1
_KEYS = "Name a certificate with an RSA key, or one on P-256, P-384 or P-521, that is meant for encryption."


def wrap_for_shared_key(content_key: bytes, key_id: bytes, shared: bytes, algorithms: Algorithms) -> bytes:
    """A KEKRecipientInfo (RFC 5652, 6.2.3). Raises Malformed where the reader says not to understand it."""
    wrap = _WRAPS.get(len(shared))
    if wrap is None:
        raise Malformed("The key-encryption key has no size that AES has.", "It has 16, 24 or 32 bytes.")
    _check_understood(wrap, algorithms)
    wrapped = aes_key_wrap(shared, content_key)
    return tlv(_KEKRI, integer(4), sequence(octets(key_id)), sequence(oid(wrap)), octets(wrapped))


def wrap_for_certificate(content_key: bytes, reader: x509.Certificate, algorithms: Algorithms) -> bytes:
    """A KeyTransRecipientInfo or KeyAgreeRecipientInfo (RFC 5652, 6.2.1 and 6.2.2). Raises Malformed."""
    key = _recipient_key(reader)
    if isinstance(key, rsa.RSAPublicKey):
        return _transport(content_key, reader, key, algorithms)
    return _agreement(content_key, reader, key, algorithms)


def check_recipient(reader: x509.Certificate) -> None:
    """Check that keys may be wrapped for a certificate (RFC 7030, 4.4.1.2). Raises Malformed."""
    key = _recipient_key(reader)
    with reading("The certificate named for the wrapping"):
        usage = next((one.value for one in reader.extensions if isinstance(one.value, x509.KeyUsage)), None)
    by_transport = isinstance(key, rsa.RSAPublicKey)
    if usage is not None and not (usage.key_encipherment if by_transport else usage.key_agreement):
        needed = "keyEncipherment" if by_transport else "keyAgreement"
        raise Malformed(f"The certificate named for the wrapping has a key usage without {needed}.", _KEYS)


def unwrap_with_shared_key(info: Element, key_id: bytes, shared: bytes) -> bytes | None:
    """The content key in a RecipientInfo; None where it is for somebody else. Raises what the parsers raise."""
    if info.tag != _KEKRI:
        return None
    reader = Reader(info.content)
    reader.take(INTEGER)
    if reader.enter().take(OCTET_STRING).content != key_id:
        return None
    wrap = read_oid(reader.enter().take(OID))
    if _WRAP_BYTES.get(wrap) != len(shared):
        raise BadDER("it is wrapped with another kind of key")
    return aes_key_unwrap(shared, reader.take(OCTET_STRING).content)


def unwrap_with_private_key(info: Element, key: PrivateKeyTypes) -> bytes | None:
    """The content key in a RecipientInfo; None where it is for another kind of key. Raises what the parsers raise."""
    if info.tag == SEQUENCE and isinstance(key, rsa.RSAPrivateKey):
        return _received(Reader(info.content), key)
    if info.tag == _KARI and isinstance(key, ec.EllipticCurvePrivateKey):
        return _agreed(Reader(info.content), key)
    return None


def _transport(content_key: bytes, reader: x509.Certificate, key: rsa.RSAPublicKey, algorithms: Algorithms) -> bytes:
    """OAEP, unless the reader lists PKCS #1 v1.5 alone."""
    listed = _TRANSPORTS.intersection(algorithms)
    algorithm = _PKCS1 if listed == {oids.RSA_ENCRYPTION} else _OAEP
    encrypted = key.encrypt(content_key, _PADDINGS[algorithm])
    return sequence(integer(0), issuer_and_serial(reader), algorithm, octets(encrypted))


def _received(info: Reader, key: rsa.RSAPrivateKey) -> bytes:
    info.take(INTEGER)
    info.take()
    used = _PADDINGS.get(info.take(SEQUENCE).encoded)
    if used is None:
        raise BadDER("it is wrapped in a way that is not taken")
    return key.decrypt(info.take(OCTET_STRING).content, used)


def _agreement(
    content_key: bytes, reader: x509.Certificate, key: ec.EllipticCurvePublicKey, algorithms: Algorithms
) -> bytes:
    """A wrapping key agreed between a key made for this once and that of the reader (RFC 5753, 3.1)."""
    scheme, _ = _AGREEMENTS[key.curve.name]
    wrap = next((one for one in reversed(_WRAPS.values()) if one in algorithms), oids.AES_256_WRAP)
    _check_understood(wrap, algorithms)
    ephemeral = ec.generate_private_key(key.curve)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    wrapped = aes_key_wrap(_agreed_key(ephemeral, key, scheme, wrap, b""), content_key)
    return tlv(
        _KARI,
        integer(3),
        context(0, tlv(_ORIGINATOR_KEY, sequence(oid(oids.EC_PUBLIC_KEY)), bits(point))),
        sequence(oid(scheme), sequence(oid(wrap))),
        sequence(sequence(issuer_and_serial(reader), octets(wrapped))),
    )


def _agreed(info: Reader, key: ec.EllipticCurvePrivateKey) -> bytes:
    info.take(INTEGER)
    originator = info.enter(_ORIGINATOR).enter(_ORIGINATOR_KEY)
    originator.take(SEQUENCE)
    point = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, originator.take(BIT_STRING).content[1:])
    material = info.optional(_KEYING_MATERIAL)
    algorithm = info.enter()
    scheme, wrap = read_oid(algorithm.take(OID)), read_oid(algorithm.enter().take(OID))
    recipient = info.enter().enter()
    recipient.take()
    wrapping_key = _agreed_key(key, point, scheme, wrap, context(0, material.content) if material else b"")
    return aes_key_unwrap(wrapping_key, recipient.take(OCTET_STRING).content)


def _agreed_key(
    own: ec.EllipticCurvePrivateKey,
    other: ec.EllipticCurvePublicKey,
    scheme: x509.ObjectIdentifier,
    wrap: x509.ObjectIdentifier,
    material: bytes,
) -> bytes:
    """The wrapping key that both sides derive (RFC 5753, 7.2); `material` is the keying material, tagged."""
    digest, size = _KDFS.get(scheme), _WRAP_BYTES.get(wrap)
    if digest is None or size is None:
        raise BadDER("it is wrapped in a way that is not taken")
    shared_info = sequence(sequence(oid(wrap)), material, context(2, octets((size * 8).to_bytes(4))))
    return X963KDF(digest, size, shared_info).derive(own.exchange(ec.ECDH(), other))


def _recipient_key(reader: x509.Certificate) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    with reading("The certificate named for the wrapping"):
        key = reader.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _AGREEMENTS:
        return key
    raise Malformed("The certificate named for the wrapping has a key that nothing can be wrapped for.", _KEYS)


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """An IssuerAndSerialNumber (RFC 5652, 10.2.4)."""
    # A negative serial breaks RFC 5280, 4.1.2.2; cryptography does not load such a certificate.
    return sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number))


def _check_understood(wrap: x509.ObjectIdentifier, algorithms: Algorithms) -> None:
    if algorithms and wrap not in algorithms:
        raise Malformed(
            "The SMIMECapabilities of the request do not list the key wrapping that would be used.",
            f"List {wrap.dotted_string} (AES key wrap) in them.",
        )
