"""The bytes of a certificate: TBSCertificate and Certificate as RFC 5280, 4.1, lays them out in DER. Pure.

Prepared first and signed after, so that what was linted is to the byte what is signed. Names, keys and extension values
come as DER from `cryptography`; here they are only put in their places.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from nestor.est.der import TRUE, bits, context, integer, octets, oid, sequence, tlv

_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_FIRST_GENERALIZED_YEAR = 2050
_VERSION_3 = context(0, integer(2))
_EXTENSIONS = 3

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
    return sequence(
        _VERSION_3,
        integer(serial),
        algorithm,
        issuer,
        sequence(_time(not_before), _time(not_after)),
        subject,
        spki,
        context(_EXTENSIONS, sequence(*(_extension(value, critical) for value, critical in extensions))),
    )


def encode_certificate(tbs: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """A Certificate around a TBSCertificate."""
    return sequence(tbs, algorithm, bits(signature))


def _time(moment: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5)."""
    utc = moment.astimezone(UTC)
    if utc.year < _FIRST_GENERALIZED_YEAR:
        return tlv(_UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(_GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode())


@lru_cache(maxsize=512)  # most extensions are the profile's or the issuer's, and the same in every certificate
def _extension(value: x509.ExtensionType, critical: bool) -> bytes:
    return sequence(oid(value.oid), TRUE if critical else b"", octets(value.public_bytes()))
