"""A certificate of the ledger, as direct methods answer it."""

import hashlib
from datetime import datetime
from typing import Any

from nestor.app.answer import Answer, Moment
from nestor.app.record import state_of
from nestor.document import described
from nestor.model import Entry
from nestor.twin.legal import shortened

_LONGEST = 1024


class Record(Answer):
    """A certificate, as the ledger has it."""

    serial: str = described("Its serial number, in hex.")
    fingerprint: str = described("Its SHA-256, in hex.")
    thumbprint: str = described("Its SHA-1, in hex, as portals show it.")
    subject: str = described("Its subject.")
    device: str = described("The device that it is for.")
    profile: str = described("Its profile.")
    label: str = described("The EST path that it was asked for on.")
    state: str = described("active, superseded by a newer one, revoked, or expired.")
    valid_from: Moment = described("When it begins.")
    expires: Moment = described("When it ends.")
    issued: Moment = described("When it was issued.")
    method: str = described("How the one who asked proved who they are.")
    asked_by: str = described("Who asked for it.")
    address: str = described("From where.")
    request_id: str = described("The id of the request, as in the log.")
    adopted: Moment | None = described("When it was adopted, where the ledger did not see it issued.", None)
    revoked: Moment | None = described("When it was revoked.", None)
    reason: str | None = described("Why it was revoked.", None)


class Page(Answer):
    """Certificates, the newest first."""

    certificates: tuple[Record, ...] = described("The certificates.")
    cursor: str | None = described("Where the next page begins; absent on the last one.", None)


class CertificateWithPem(Record):
    """A certificate, and itself."""

    pem: str = described("The certificate, as PEM.")


class RevokedCertificate(Record):
    """A certificate that is revoked."""

    already_revoked: bool = described("Whether it was revoked before; time and reason then stay as they were.")


def fields_of(entry: Entry, now: datetime) -> dict[str, Any]:
    """The fields of a record; names that somebody chose are cut where they would fill an answer."""
    return {
        "serial": f"{entry.serial:x}",
        "fingerprint": entry.sha256.hex(),
        "thumbprint": hashlib.sha1(entry.der, usedforsecurity=False).hexdigest(),
        "subject": shortened(entry.subject, _LONGEST),
        "device": shortened(entry.device, _LONGEST),
        "profile": shortened(entry.profile, _LONGEST),
        "label": shortened(entry.label, _LONGEST),
        "state": state_of(entry, now),
        "valid_from": entry.not_before,
        "expires": entry.not_after,
        "issued": entry.issued_at,
        "method": entry.method.value,
        "asked_by": shortened(entry.requester, _LONGEST),
        "address": entry.address,
        "request_id": entry.request_id,
        "adopted": entry.adopted_at,
        "revoked": entry.revoked_at,
        "reason": None if entry.revocation_reason is None else shortened(entry.revocation_reason, _LONGEST),
    }
