"""What happened to certificates, as CloudEvents 1.0: one event each, by documented types. Pure; secrets never get here.

    nestor.certificate.issued     a certificate left the house for the first time
    nestor.certificate.refused    a request was refused
    nestor.certificate.revoked    a certificate was revoked
    nestor.approval.asked         somebody asks for a certificate that an operator has to approve
    nestor.approval.approved      an operator approved it
    nestor.approval.denied        an operator denied it
    nestor.events.dropped         events before this one were given up, because nobody took them

An id is made of what happened, so that whoever hears of it twice can tell: a batch that was taken without an answer is
sent again.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from nestor.approval import Approval, ApprovalState
from nestor.events import ApprovalAsked, ApprovalDecided, Enrolled, Event, Refused, Revoked
from nestor.model import Entry, Refusal

MEDIA_TYPE = "application/cloudevents-batch+json"
ISSUED, REFUSED, REVOKED = (f"nestor.certificate.{what}" for what in ("issued", "refused", "revoked"))
ASKED, APPROVED, DENIED = (f"nestor.approval.{what}" for what in ("asked", "approved", "denied"))
DROPPED = "nestor.events.dropped"

_LONGEST = 1000


def cloud_event(event: Event, source: str) -> dict[str, Any] | None:
    """The CloudEvent of an event; None for one that is not about certificates. `source` says whose it is."""
    match event:
        case Enrolled(entry, replayed=False):
            about = _of_entry(entry) | {
                "askedBy": _text(entry.requester),
                "method": entry.method.value,
                "label": entry.label,
            }
            return _event(
                ISSUED, source, name=f"{entry.serial:x}", at=entry.issued_at, subject=entry.device, data=about
            )
        case Revoked(entry, by):
            about = _of_entry(entry) | {"reason": _text(entry.revocation_reason or ""), "revokedBy": by}
            return _event(
                REVOKED, source, name=f"{entry.serial:x}", at=entry.revoked_at, subject=entry.device, data=about
            )
        case Refused(refusal):
            about = _of_refusal(refusal)
            return _event(REFUSED, source, name=refusal.request_id, at=refusal.at, subject=refusal.subject, data=about)
        case ApprovalAsked(approval):
            return _of_approval(ASKED, source, approval, approval.asked_at)
        case ApprovalDecided(approval):
            kind = DENIED if approval.state is ApprovalState.DENIED else APPROVED
            return _of_approval(kind, source, approval, approval.decided_at)
        case _:
            return None


def dropped_event(number: int, source: str, at: datetime) -> dict[str, Any]:
    """That so many events were given up before."""
    return _event(DROPPED, source, name=f"{at:%Y%m%d%H%M%S%f}", at=at, subject="", data={"number": number})


def batch(events: Sequence[bytes]) -> bytes:
    """Several encoded events as one body (CloudEvents JSON format, section 4)."""
    return b"[" + b",".join(events) + b"]"


def encoded(event: dict[str, Any]) -> bytes:
    """An event as JSON."""
    return json.dumps(event, separators=(",", ":")).encode()


def _event(
    kind: str, source: str, *, name: str, at: datetime | None, subject: str, data: dict[str, Any]
) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": f"{kind.rpartition('.')[2]}-{name}",
        "source": source,
        "type": kind,
        "datacontenttype": "application/json",
        "data": data,
    }
    event |= {"time": _time(at)} if at else {}
    return event | ({"subject": _text(subject)} if subject else {})


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _text(text: str) -> str:
    """As much of a text as has its place in a message: whoever asks may write long names."""
    return text[:_LONGEST]


def _of_entry(entry: Entry) -> dict[str, Any]:
    return {
        "device": _text(entry.device),
        "profile": entry.profile,
        "subject": _text(entry.subject),
        "serial": f"{entry.serial:x}",
        "fingerprint": entry.sha256.hex(),
        "expires": _time(entry.not_after),
    }


def _of_approval(kind: str, source: str, approval: Approval, at: datetime | None) -> dict[str, Any]:
    about = {
        "id": approval.id,
        "device": _text(approval.device),
        "profile": approval.profile,
        "subject": _text(approval.subject),
        "askedBy": _text(approval.asked_by),
        "address": approval.address,
        "label": _text(approval.label),
        "key": approval.spki_sha256.hex(),
        "takesOverFrom": approval.takes_over_from or None,
        "decidedBy": _text(approval.decided_by) or None,
    }
    when = f"-{at:%Y%m%d%H%M%S}" if approval.decided_at and at else ""  # what was said may be said otherwise later
    return _event(kind, source, name=f"{approval.id}{when}", at=at, subject=approval.device, data=about)


def _of_refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "reason": refusal.reason,
        "sentence": _text(refusal.sentence),
        "subject": _text(refusal.subject),
        "askedBy": _text(refusal.requester),
        "method": None if refusal.method is None else refusal.method.value,
        "address": refusal.address,
        "label": _text(refusal.label),
        "operation": refusal.operation,
        "requestId": refusal.request_id,
    }
