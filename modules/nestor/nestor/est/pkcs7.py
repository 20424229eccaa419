"""Certificates on their way: a SignedData that signs nothing, the certs-only message (RFC 7030, 4.1.3; RFC 5652, 5).

A SET OF is sorted in DER; some clients glue what they get into chain files as it comes: for them the order can be kept.
"""

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.errors import Malformed
from nestor.est import oids
from nestor.est.der import OID, SEQUENCE, SET, Reader, context, integer, oid, only, reading, sequence, set_of, tlv

_CERTIFICATES = 0xA0
_WHAT = "The certs-only message"


def certs_only(certificates: Iterable[x509.Certificate], *, chain_order: bool = False) -> bytes:
    """The message as DER; `chain_order` keeps the order given instead of DER's."""
    encoded = [certificate.public_bytes(Encoding.DER) for certificate in certificates]
    signed_data = sequence(
        integer(1),
        set_of(),
        sequence(oid(oids.DATA)),
        tlv(_CERTIFICATES, *(encoded if chain_order else sorted(encoded))),
        set_of(),
    )
    return sequence(oid(oids.SIGNED_DATA), context(0, signed_data))


def read_certs_only(der: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a message, in the order on the wire; others than X.509 are passed over. Raises Malformed."""
    with reading(_WHAT):
        info = Reader(only(der, SEQUENCE).content)
        if info.take(OID).encoded != oid(oids.SIGNED_DATA):
            raise Malformed("The answer is CMS, but not the kind that carries certificates.", "It must be SignedData.")
        signed_data = info.enter(0xA0).enter(SEQUENCE)
        signed_data.take()
        signed_data.take(SET)
        signed_data.take(SEQUENCE)
        held = signed_data.optional(_CERTIFICATES)
        found = Reader(held.content).all() if held else []
        certificates = tuple(x509.load_der_x509_certificate(one.encoded) for one in found if one.tag == SEQUENCE)
    if not certificates:
        raise Malformed(f"{_WHAT} holds no certificate.")
    return certificates
