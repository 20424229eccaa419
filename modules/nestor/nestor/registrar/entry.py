"""What the ledger is to know of a certificate that was just issued: one place, whoever asked and wherever. Pure."""

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.model import Entry, Order, Requester
from nestor.naming import issuer_id


def entry_of(
    certificate: x509.Certificate,
    *,
    order: Order,
    requester: Requester,
    spki_sha256: bytes,
    now: datetime,
    address: str = "",
    request_id: str = "",
) -> Entry:
    """The entry of a certificate that an order got.

    `spki_sha256` is that of the certified key as the request wrote it, by which a key is known again.
    """
    der = certificate.public_bytes(Encoding.DER)
    return Entry(
        serial=certificate.serial_number,
        issuer=issuer_id(certificate),
        sha256=hashlib.sha256(der).digest(),
        der=der,
        device=order.device,
        subject=certificate.subject.rfc4514_string(),
        profile=order.profile,
        label=order.label,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=now,
        method=requester.method,
        requester=requester.name,
        origin=requester.origin,
        via=requester.entry.sha256 if requester.entry else None,
        address=address,
        csr_sha256=order.csr.sha256,
        spki_sha256=spki_sha256,
        request_id=request_id,
        forwarder=_way(requester),
    )


def _way(requester: Requester) -> str | None:
    """Who conveyed the request, and the hops that it passed before this server, the first one first."""
    if requester.forwarder is None or requester.conveyance is None:
        return requester.forwarder
    hops = requester.conveyance.hops[:-1]
    return f"{requester.forwarder} ({', '.join(hops)})" if hops else requester.forwarder
