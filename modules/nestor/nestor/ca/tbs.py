"""The bytes of a certificate: TBSCertificate and Certificate as RFC 5280, 4.1, lays them out in DER. Pure.

Prepared first and signed after, so that what was linted is to the byte what is signed. Names, keys and extension values
come as DER from `cryptography`; here they are only put in their places.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509

_SEQUENCE, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID = 0x30, 0x02, 0x03, 0x04, 0x06
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION_3 = bytes.fromhex("a003020102")
_EXTENSIONS = 0xA3
_TRUE = bytes.fromhex("0101ff")
_FIRST_GENERALIZED_YEAR = 2050

Extension = tuple[x509.ExtensionType, bool]
"""An extension, and whether it is critical."""


def encode_tbs(
    *,
    serial: int,
    algorithm: bytes,
    issuer: bytes,
    not_before: datetime,
    not_after: datetime,
    subject: bytes,
    spki: bytes,
    extensions: Iterable[Extension],
) -> bytes:
    """A TBSCertificate, version 3. Algorithm, names and key are DER; times lose what is below a second."""
    return _tlv(
        _SEQUENCE,
        _VERSION_3,
        _integer(serial),
        algorithm,
        issuer,
        _tlv(_SEQUENCE, _time(not_before), _time(not_after)),
        subject,
        spki,
        _tlv(_EXTENSIONS, _tlv(_SEQUENCE, *(_extension(value, critical) for value, critical in extensions))),
    )


def encode_certificate(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """A Certificate around a TBSCertificate."""
    return _tlv(_SEQUENCE, tbs, algorithm, _tlv(_BIT_STRING, b"\0", signature))


def _tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 -- the short form of a length
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _time(moment: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5)."""
    utc = moment.astimezone(UTC)
    if utc.year < _FIRST_GENERALIZED_YEAR:
        return _tlv(_UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return _tlv(_GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode())


def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    return _tlv(_SEQUENCE, _oid(value.oid), _TRUE if critical else b"", _tlv(_OCTET_STRING, value.public_bytes()))


def _oid(oid: x509.ObjectIdentifier) -> bytes:
    """An object identifier: seven bits a byte, the first two arcs in one number (X.690, 8.19)."""
    first, second, *others = (int(arc) for arc in oid.dotted_string.split("."))
    content = bytearray()
    for number in (first * 40 + second, *others):
        seven = [number & 0x7F]
        while number := number >> 7:
            seven.append(0x80 | number & 0x7F)
        content += bytes(reversed(seven))
    return _tlv(_OID, bytes(content))
