"""How the nouns of the model are written into rows and read back. Pure.

The ledger keeps whole seconds: a finer time comes back with its fraction cut off.
"""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalState
from nestor.conveyance import Intent
from nestor.model import Entry, Method, Refusal, State

Row = tuple[Any, ...]


def seconds(moment: datetime) -> int:
    """A moment as whole seconds since 1970."""
    return int(moment.timestamp())


def moment(value: int) -> datetime:
    """The moment, in UTC, of whole seconds since 1970."""
    return datetime.fromtimestamp(value, UTC)


def serial_bytes(serial: int) -> bytes:
    """A serial number as its shortest big-endian bytes."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big")


def write_entry(entry: Entry) -> dict[str, Any]:
    """The row of a certificate that is unrevoked."""
    return {
        "serial": serial_bytes(entry.serial),
        "sha256": entry.sha256,
        "device": entry.device,
        "subject": entry.subject,
        "profile": entry.profile,
        "label": entry.label,
        "not_before": seconds(entry.not_before),
        "not_after": seconds(entry.not_after),
        "issued_at": seconds(entry.issued_at),
        "method": entry.method.value,
        "requester": entry.requester,
        "origin": entry.origin.value,
        "via": entry.via,
        "address": entry.address,
        "csr_sha256": entry.csr_sha256,
        "spki_sha256": entry.spki_sha256,
        "request_id": entry.request_id,
        "state": entry.state.value,
        "revoked_at": None,
        "revocation_reason": None,
        "adopted_at": _seconds_or_none(entry.adopted_at),
        "forwarder": entry.forwarder,
        "issuer": entry.issuer,
    }


def read_entry(row: Row) -> Entry:
    """An entry from a row of `statements.entries`. Raises ValueError for a row that nobody of ours wrote."""
    return Entry(
        id=row[0],
        serial=int.from_bytes(row[1], "big"),
        sha256=row[2],
        device=row[3],
        subject=row[4],
        profile=row[5],
        label=row[6],
        not_before=moment(row[7]),
        not_after=moment(row[8]),
        issued_at=moment(row[9]),
        method=Method(row[10]),
        requester=row[11],
        origin=Method(row[12]),
        via=row[13],
        address=row[14],
        csr_sha256=row[15],
        spki_sha256=row[16],
        request_id=row[17],
        state=State(row[18]),
        revoked_at=_moment_or_none(row[19]),
        revocation_reason=row[20],
        adopted_at=_moment_or_none(row[21]),
        forwarder=row[22],
        issuer=row[23],
        der=row[24],
    )


def write_refusal(refusal: Refusal) -> dict[str, Any]:
    """The row of a refusal."""
    return {
        "at": seconds(refusal.at),
        "address": refusal.address,
        "label": refusal.label,
        "operation": refusal.operation,
        "method": None if refusal.method is None else refusal.method.value,
        "requester": refusal.requester,
        "subject": refusal.subject,
        "reason": refusal.reason,
        "sentence": refusal.sentence,
        "request_id": refusal.request_id,
    }


def read_refusal(row: Row) -> Refusal:
    """A refusal from a row. Raises ValueError for a row that nobody of ours wrote."""
    _, at, address, label, operation, method, requester, subject, reason, sentence, request_id = row
    return Refusal(
        at=moment(at),
        address=address,
        label=label,
        operation=operation,
        method=None if method is None else Method(method),
        requester=requester,
        subject=subject,
        reason=reason,
        sentence=sentence,
        request_id=request_id,
    )


def write_intent(intent: Intent) -> dict[str, Any]:
    """The row of an intent."""
    return {
        "key": intent.key,
        "sent_at": seconds(intent.sent_at),
        "device": intent.device,
        "profile": intent.profile,
        "label": intent.label,
        "spki_sha256": intent.spki_sha256,
    }


def read_intent(row: Row) -> Intent:
    """An intent from a row."""
    key, sent_at, device, profile, label, spki_sha256 = row
    return Intent(key, moment(sent_at), device, profile, label, spki_sha256)


def write_adoption(adoption: Adoption) -> dict[str, Any]:
    """The row of a word about unknown certificates."""
    return {
        "opened_at": seconds(adoption.opened_at),
        "since": seconds(adoption.since),
        "until": seconds(adoption.until),
        "ends_at": seconds(adoption.ends_at),
        "profile": adoption.profile,
        "denied": json.dumps(sorted(adoption.denied)),
        "ended_at": _seconds_or_none(adoption.ended_at),
    }


def read_adoption(row: Row) -> Adoption:
    """A word from a row. Raises ValueError for a row that nobody of ours wrote."""
    id_, opened_at, since, until, ends_at, profile, denied, ended_at = row
    return Adoption(
        id=id_,
        opened_at=moment(opened_at),
        since=moment(since),
        until=moment(until),
        ends_at=moment(ends_at),
        profile=profile,
        denied=frozenset(json.loads(denied)),
        ended_at=_moment_or_none(ended_at),
    )


def write_approval(approval: Approval) -> dict[str, Any]:
    """The row of a request that has to be approved, in the order of its columns."""
    row = {field.name: getattr(approval, field.name) for field in fields(approval)}
    times = {name: seconds(row[name]) for name in ("asked_at", "last_asked_at", "until")}
    return row | times | {"state": approval.state.value, "decided_at": _seconds_or_none(approval.decided_at)}


def read_approval(row: Row) -> Approval:
    """Such a request from a row. Raises ValueError for a row that nobody of ours wrote."""
    read = dict(zip((field.name for field in fields(Approval)), row, strict=True))
    times = {name: moment(read[name]) for name in ("asked_at", "last_asked_at", "until")}
    decided = {"state": ApprovalState(read["state"]), "decided_at": _moment_or_none(read["decided_at"])}
    return Approval(**read | times | decided)


def _seconds_or_none(value: datetime | None) -> int | None:
    return None if value is None else seconds(value)


def _moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
