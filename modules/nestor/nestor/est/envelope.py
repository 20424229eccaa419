"""A server-generated key in CMS: signed by who made it, encrypted for who asked (RFC 7030, 4.4.2; RFC 5652; RFC 5958).

The content is encrypted with AES-CBC; content key and IV are arguments. How the content key reaches the reader is told
in `recipients`. No sentence of this file shows anything of a key.
"""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.errors import Malformed
from nestor.est import oids, recipients
from nestor.est.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    BadDER,
    Element,
    Reader,
    context,
    integer,
    octets,
    oid,
    only,
    read_oid,
    reading,
    sequence,
    set_of,
    tlv,
)
from nestor.est.recipients import Algorithms
from nestor.est.signing import DIGESTS, scheme_of, sign, verify

_WHAT = "The encrypted key"
_CIPHERS = {oids.AES_256_CBC: 32, oids.AES_128_CBC: 16}
_BLOCK_BITS = 128
_SIGNED_ATTRIBUTES, _EXPLICIT, _ORIGINATOR, _ENCRYPTED, _KEY_ID = 0xA0, 0xA0, 0xA0, 0x80, 0x80


def sign_package(
    pkcs8: bytes, signer_key: CertificateIssuerPrivateKeyTypes, signer_certificate: x509.Certificate
) -> bytes:
    """A SignedData around an AsymmetricKeyPackage of one key (RFC 5958, 4), the signer's certificate within.

    Raises MaterialError for a key that cannot sign.
    """
    certificate = context(0, signer_certificate.public_bytes(Encoding.DER))
    return _signed_data(pkcs8, signer_key, _signer(signer_certificate), certificate)


def envelop_symmetric(  # noqa: PLR0917 -- what, for whom, how, and with what
    signed: bytes, key_id: bytes, key_encryption_key: bytes, algorithms: Algorithms, content_key: bytes, iv: bytes
) -> bytes:
    """EnvelopedData for who holds a shared key, as a ContentInfo. Raises Malformed where `algorithms` forbid it.

    `content_key` has 32 bytes, of which a cipher may use the first 16; `iv` has 16.
    """
    cipher = _cipher(algorithms)
    used = content_key[: _CIPHERS[cipher]]
    recipient = recipients.wrap_for_shared_key(used, key_id, key_encryption_key, algorithms)
    return _envelop(signed, recipient, cipher, used, iv)


def envelop_certificate(
    signed: bytes, recipient_certificate: x509.Certificate, algorithms: Algorithms, content_key: bytes, iv: bytes
) -> bytes:
    """EnvelopedData for a certificate's holder, as a ContentInfo. Raises Malformed where `algorithms` forbid it."""
    cipher = _cipher(algorithms)
    used = content_key[: _CIPHERS[cipher]]
    recipient = recipients.wrap_for_certificate(used, recipient_certificate, algorithms)
    return _envelop(signed, recipient, cipher, used, iv)


def open_symmetric(enveloped: bytes, key_id: bytes, key_encryption_key: bytes) -> bytes:
    """The SignedData that was encrypted under a shared key. Raises Malformed."""
    return _open(enveloped, lambda info: recipients.unwrap_with_shared_key(info, key_id, key_encryption_key))


def open_with_key(enveloped: bytes, private_key: PrivateKeyTypes) -> bytes:
    """The SignedData that was encrypted for an RSA or EC key. Raises Malformed."""
    return _open(enveloped, lambda info: recipients.unwrap_with_private_key(info, private_key))


def read_package(signed: bytes, signer: x509.Certificate) -> bytes:
    """The PKCS #8 key in a SignedData, once its signature proved to be that of `signer`. Raises Malformed."""
    with reading("The signed key package"):
        reader = Reader(only(signed, SEQUENCE).content)
        reader.take(INTEGER)
        reader.take(SET)
        content = reader.enter()
        if read_oid(content.take(OID)) != oids.ASYMMETRIC_KEY_PACKAGE:
            raise BadDER("it holds something else")
        package = content.enter(_EXPLICIT).take(OCTET_STRING).content
        *_, infos = reader.all()
        _check_signature(only(infos.content, SEQUENCE), package, signer)
        return only(only(package, SEQUENCE).content, SEQUENCE).encoded


def _signed_data(pkcs8: bytes, key: CertificateIssuerPrivateKeyTypes, signer: bytes, certificates: bytes) -> bytes:
    scheme = scheme_of(key)
    package = sequence(pkcs8)
    algorithm = sequence(oid(scheme.digest))
    attributes = set_of(
        sequence(oid(oids.CONTENT_TYPE), set_of(oid(oids.ASYMMETRIC_KEY_PACKAGE))),
        sequence(oid(oids.MESSAGE_DIGEST), set_of(octets(_digest(scheme.digest, package)))),
    )
    # The attributes are signed as a SET, and carried under a tag of their own (RFC 5652, 5.4).
    carried = tlv(_SIGNED_ATTRIBUTES, only(attributes).content)
    signature = octets(sign(key, attributes))
    version = integer(3 if signer[0] == _KEY_ID else 1)
    info = sequence(version, signer, algorithm, carried, scheme.algorithm, signature)
    content = sequence(oid(oids.ASYMMETRIC_KEY_PACKAGE), context(0, octets(package)))
    return sequence(integer(3), set_of(algorithm), content, certificates, set_of(info))


def _signer(certificate: x509.Certificate) -> bytes:
    """Who signed: by subject key identifier where the certificate has one, else by issuer and serial number."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return tlv(_KEY_ID, extension.value.digest)
    return recipients.issuer_and_serial(certificate)


def _check_signature(info: Element, package: bytes, signer: x509.Certificate) -> None:
    reader = Reader(info.content)
    reader.take(INTEGER)
    reader.take()
    digest = read_oid(reader.enter().take(OID))
    attributes = reader.take(_SIGNED_ATTRIBUTES).content
    reader.take(SEQUENCE)
    verify(signer.public_key(), digest, tlv(SET, attributes), reader.take(OCTET_STRING).content)
    expected = sequence(oid(oids.MESSAGE_DIGEST), set_of(octets(_digest(digest, package))))
    if expected not in [one.encoded for one in Reader(attributes).all(SEQUENCE)]:
        raise BadDER("what was signed is another package")


def _digest(algorithm: x509.ObjectIdentifier, data: bytes) -> bytes:
    hashed = hashes.Hash(DIGESTS[algorithm])
    hashed.update(data)
    return hashed.finalize()


def _cipher(wanted: Algorithms) -> x509.ObjectIdentifier:
    """The strongest content cipher that the reader lists; the strongest of all where it lists nothing."""
    for cipher in _CIPHERS:
        if not wanted or cipher in wanted:
            return cipher
    raise Malformed(
        "The SMIMECapabilities of the request list no cipher that this server encrypts with.",
        f"List {oids.AES_256_CBC.dotted_string} (AES-256-CBC) in them.",
    )


def _envelop(signed: bytes, recipient: bytes, cipher: x509.ObjectIdentifier, key: bytes, iv: bytes) -> bytes:
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(AES(key), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(signed) + padder.finalize()) + encryptor.finalize()
    content = sequence(oid(oids.SIGNED_DATA), sequence(oid(cipher), octets(iv)), tlv(_ENCRYPTED, encrypted))
    version = integer(0 if recipient[0] == SEQUENCE else 2)  # key transport alone is version 0 (RFC 5652, 6.1)
    return sequence(oid(oids.ENVELOPED_DATA), context(0, sequence(version, set_of(recipient), content)))


def _open(enveloped: bytes, unwrap: Callable[[Element], bytes | None]) -> bytes:
    with reading(_WHAT):
        info = Reader(only(enveloped, SEQUENCE).content)
        if read_oid(info.take(OID)) != oids.ENVELOPED_DATA:
            raise BadDER("it is not EnvelopedData")
        data = info.enter(_EXPLICIT).enter()
        data.take(INTEGER)
        data.optional(_ORIGINATOR)
        keys = (unwrap(one) for one in data.enter(SET).all())
        key = next((one for one in keys if one is not None), None)
        if key is None:
            raise BadDER("it is encrypted for somebody else")
        return _signed_within(_decrypt(data.enter(), key))


def _decrypt(content: Reader, key: bytes) -> bytes:
    content.take(OID)
    algorithm = content.enter()
    if _CIPHERS.get(read_oid(algorithm.take(OID))) != len(key):
        raise BadDER("it is encrypted with a cipher that is not taken")
    decryptor = Cipher(AES(key), modes.CBC(algorithm.take(OCTET_STRING).content)).decryptor()
    padded = decryptor.update(content.take(_ENCRYPTED).content) + decryptor.finalize()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _signed_within(content: bytes) -> bytes:
    """The SignedData; some put a ContentInfo around it."""
    reader = Reader(only(content, SEQUENCE).content)
    if reader.optional(OID) is None:
        return content
    return reader.enter(_EXPLICIT).take(SEQUENCE).encoded
