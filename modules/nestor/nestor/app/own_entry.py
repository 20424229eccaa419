"""The ledger's entry of a certificate that nobody asked for by EST: Nestor made it, for itself or for its operator."""

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.model import Entry, Method
from nestor.naming import issuer_id


def own_entry(certificate: x509.Certificate, profile: str, now: datetime) -> Entry:
    """What the ledger is to know of it; it belongs to no device."""
    der = certificate.public_bytes(Encoding.DER)
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Entry(
        serial=certificate.serial_number,
        issuer=issuer_id(certificate),
        sha256=hashlib.sha256(der).digest(),
        der=der,
        device="",
        subject=certificate.subject.rfc4514_string(),
        profile=profile,
        label="",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=now,
        method=Method.OPERATOR,
        requester="nestor",
        origin=Method.OPERATOR,
        via=None,
        address="",
        csr_sha256=b"",
        spki_sha256=hashlib.sha256(spki).digest(),
        request_id="",
    )
