"""The log: which events get a line, of what weight, and what it tells. Secrets never get here.

Libraries log through the same door, errors and above, so that an operator reads one stream; warnings too at `debug`.
"""

import logging
import sys
from collections.abc import Mapping

from nestor.approval import Approval, ApprovalState
from nestor.events import (
    Adopted,
    Answered,
    ApprovalAsked,
    ApprovalDecided,
    Carried,
    Enrolled,
    Event,
    Fatal,
    HandshakeFailed,
    LinkChanged,
    Listening,
    Note,
    Refused,
    Revoked,
    SettingsApplied,
    SettingsRefused,
    Trouble,
    TurnedAway,
    UpstreamChanged,
    Widened,
)
from nestor.model import Entry, Refusal
from nestor.ops.lines import causes, formatter_for, is_text, show_time
from nestor.ops.settings import LogLevel, LogSettings

_OfTheHouse = (
    Listening | SettingsApplied | SettingsRefused | Widened | Fatal | LinkChanged | UpstreamChanged | Trouble | Note
)

_LOGGER = logging.getLogger("nestor")

_NAMES: Mapping[type, str] = {
    Enrolled: "enrolled",
    Refused: "refused",
    Adopted: "adopted",
    Revoked: "revoked",
    ApprovalAsked: "approval asked for",
    TurnedAway: "turned away",
    HandshakeFailed: "handshake failed",
    Listening: "listening",
    Answered: "answered",
    Carried: "carried",
    LinkChanged: "link",
    UpstreamChanged: "upstream",
    Fatal: "fatal",
    SettingsApplied: "settings applied",
    SettingsRefused: "settings refused",
    Widened: "widened",
}
_LEVELS: Mapping[type, int] = {
    Answered: logging.DEBUG,
    Carried: logging.DEBUG,
    LinkChanged: logging.DEBUG,
    Refused: logging.WARNING,
    Adopted: logging.WARNING,
    Revoked: logging.WARNING,
    ApprovalAsked: logging.WARNING,
    ApprovalDecided: logging.WARNING,
    HandshakeFailed: logging.WARNING,
    SettingsRefused: logging.ERROR,
    Widened: logging.WARNING,
    Trouble: logging.ERROR,
    Fatal: logging.CRITICAL,
}


def set_up_log(settings: LogSettings) -> None:
    """Send everything to standard output in the chosen form; again after a change of settings."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter_for(settings.format))
    libraries = logging.WARNING if settings.level is LogLevel.DEBUG else logging.ERROR
    logging.basicConfig(level=libraries, handlers=[handler], force=True)
    _LOGGER.setLevel(settings.level.value.upper())


def is_for_people() -> bool:
    """Whether the log is written for people, and not for machines that read line by line."""
    return any(is_text(handler.formatter) for handler in logging.getLogger().handlers)


def log_event(event: Event) -> None:
    """Write one event: the Sink of the log."""
    if _LOGGER.isEnabledFor(_level(event)):
        level, name, fields = describe(event)
        # Made by hand: the logger would walk the stack for a place in the code that no line tells.
        record = _LOGGER.makeRecord(_LOGGER.name, level, "", 0, name, (), None, extra={"fields": fields})
        _LOGGER.handle(record)


def describe(event: Event) -> tuple[int, str, Mapping[str, object]]:
    """The level, the name and the fields of an event's line."""
    return _level(event), _name(event), _fields(event)


def _name(event: Event) -> str:
    match event:
        case Trouble(about) | Note(about):
            return about
        case ApprovalDecided(approval):
            return "denied" if approval.state is ApprovalState.DENIED else "approved"
        case _:
            return _NAMES[type(event)]


def _level(event: Event) -> int:
    if isinstance(event, Trouble) and event.passing:
        return logging.WARNING
    if isinstance(event, UpstreamChanged) and (event.state.reached is False or event.state.sentence):
        return logging.WARNING
    return _LEVELS.get(type(event), logging.INFO)


def _fields(event: Event) -> Mapping[str, object]:
    fields: Mapping[str, object]
    match event:
        case Enrolled() | Adopted() | Revoked():
            fields = _of_certificate(event)
        case ApprovalAsked(approval) | ApprovalDecided(approval):
            fields = _of_approval(approval)
        case Refused(refusal, forwarder):
            fields = _of_refusal(refusal) | ({"forwarder": forwarder} if forwarder else {})
        case TurnedAway(address, request, reason, sentence, request_id):
            fields = {"reason": reason, "why": sentence, "from": address, "asked": request, "request": request_id}
        case HandshakeFailed(address, sentence):
            fields = {"why": sentence, "from": address}
        case Answered(address, request, _, status, seconds, request_id):
            told = {"status": status, "asked": request, "from": address}
            fields = told | {"ms": round(seconds * 1000, 1), "request": request_id}
        case Carried():
            fields = _of_route(event)
        case _:
            fields = _of_the_house(event)
    return fields


def _of_route(event: Carried) -> Mapping[str, object]:
    return {
        "route": event.route,
        "status": event.status,
        "asked": event.request,
        "from": event.address,
        "ms": round(event.seconds * 1000, 1),
        "sent": event.sent,
        "received": event.received,
        "request": event.request_id,
    }


def _of_certificate(event: Enrolled | Adopted | Revoked) -> dict[str, object]:
    match event:
        case Enrolled(entry, replayed):
            return _of_entry(entry) | ({"replayed": True} if replayed else {})
        case Adopted(entry):
            return {name: value for name, value in _of_entry(entry).items() if value}
        case Revoked(entry, by):
            return {"why": entry.revocation_reason or "", "revokedBy": by, **_of_entry(entry)}


def _of_the_house(event: _OfTheHouse) -> Mapping[str, object]:
    match event:
        case Listening(url, addresses, authority):
            return {"url": url, "addresses": ", ".join(addresses), "ca": authority}
        case SettingsApplied(revision):
            return {"revision": revision}
        case SettingsRefused(sentence) | Widened(_, sentence) | Fatal(sentence):
            return {"why": sentence}
        case LinkChanged() | UpstreamChanged():
            return _of_a_way(event)
        case Trouble(_, sentence, cause):
            return {"why": sentence} | ({"cause": causes(cause)} if cause else {})
        case Note(_, sentence, until):
            return {"what": sentence} | ({"until": show_time(until)} if until else {})


def _of_a_way(event: LinkChanged | UpstreamChanged) -> Mapping[str, object]:
    match event:
        case LinkChanged(link):
            told = {"connected": link.connected, "since": show_time(link.since)}
            return told | ({"why": link.sentence} if link.sentence else {})
        case UpstreamChanged(above):
            told = {"reached": bool(above.reached), "since": show_time(above.since)}
            return told | ({"why": above.sentence} if above.sentence else {})


def _of_entry(entry: Entry) -> dict[str, object]:
    return {
        "device": entry.device,
        "profile": entry.profile,
        "subject": entry.subject,
        "serial": f"{entry.serial:x}",
        "until": show_time(entry.not_after),
        "by": f"{entry.method} {entry.requester}",
        "from": entry.address,
        "label": entry.label,
        "request": entry.request_id,
        **({"forwarder": entry.forwarder, "csr": entry.csr_sha256.hex()} if entry.forwarder else {}),
    }


def _of_approval(approval: Approval) -> dict[str, object]:
    told = {
        "id": approval.id,
        "decidedBy": approval.decided_by,
        "device": approval.device,
        "profile": approval.profile,
        "subject": approval.subject,
        "takesOverFrom": approval.takes_over_from,
        "by": approval.asked_by,
        "from": approval.address,
        "label": approval.label,
        "key": approval.spki_sha256.hex(),
        "until": show_time(approval.until),
    }
    return {name: value for name, value in told.items() if value}


def _of_refusal(refusal: Refusal) -> dict[str, object]:
    return {
        "reason": refusal.reason,
        "why": refusal.sentence,
        "subject": refusal.subject,
        "by": f"{refusal.method or 'nobody'} {refusal.requester}".strip(),
        "from": refusal.address,
        "label": refusal.label,
        "operation": refusal.operation,
        "request": refusal.request_id,
    }
