"""The log: one line per event, as text or JSON. Whatever came from outside is escaped; secrets never get here.

Libraries log through the same door, at warning and above, so that an operator reads one stream.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from nestor.events import (
    Adopted,
    Enrolled,
    Event,
    HandshakeFailed,
    Listening,
    Note,
    Refused,
    SettingsApplied,
    SettingsRefused,
    Trouble,
    TurnedAway,
    Widened,
)
from nestor.model import Entry, Refusal
from nestor.ops.settings import LogFormat, LogSettings

_LOGGER = logging.getLogger("nestor")

_NAMES: Mapping[type, str] = {
    Enrolled: "enrolled",
    Refused: "refused",
    Adopted: "adopted",
    TurnedAway: "turned away",
    HandshakeFailed: "handshake failed",
    Listening: "listening",
    SettingsApplied: "settings applied",
    SettingsRefused: "settings refused",
    Widened: "widened",
}
_LEVELS: Mapping[type, int] = {
    Refused: logging.WARNING,
    Adopted: logging.WARNING,
    HandshakeFailed: logging.WARNING,
    SettingsRefused: logging.ERROR,
    Widened: logging.WARNING,
    Trouble: logging.ERROR,
}


def set_up_log(settings: LogSettings) -> None:
    """Send everything to standard output in the chosen form; again after a change of settings."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json() if settings.format is LogFormat.JSON else _Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOGGER.setLevel(settings.level.value.upper())


def log_event(event: Event) -> None:
    """Write one event: the Sink of the log."""
    level, name, fields = describe(event)
    if _LOGGER.isEnabledFor(level):
        # Made by hand: the logger would walk the stack for a place in the code that no line tells.
        record = _LOGGER.makeRecord(_LOGGER.name, level, "", 0, name, (), None, extra={"fields": fields})
        _LOGGER.handle(record)


def describe(event: Event) -> tuple[int, str, Mapping[str, object]]:
    """The level, the name and the fields of an event's line."""
    name = event.about if isinstance(event, Trouble | Note) else _NAMES[type(event)]
    return _LEVELS.get(type(event), logging.INFO), name, _fields(event)


def _fields(event: Event) -> Mapping[str, object]:
    fields: Mapping[str, object]
    match event:
        case Enrolled(entry, replayed):
            fields = _of_entry(entry) | ({"replayed": True} if replayed else {})
        case Adopted(entry):
            fields = {name: value for name, value in _of_entry(entry).items() if value}
        case Refused(refusal):
            fields = _of_refusal(refusal)
        case TurnedAway(address, request, reason, sentence, request_id):
            fields = {"reason": reason, "why": sentence, "from": address, "asked": request, "request": request_id}
        case HandshakeFailed(address, sentence):
            fields = {"why": sentence, "from": address}
        case Listening(url, addresses, authority):
            fields = {"url": url, "addresses": ", ".join(addresses), "ca": authority}
        case SettingsApplied(revision):
            fields = {"revision": revision}
        case SettingsRefused(sentence) | Widened(_, sentence):
            fields = {"why": sentence}
        case Trouble(_, sentence, cause):
            fields = {"why": sentence} | ({"cause": _causes(cause)} if cause else {})
        case _:
            fields = {"what": event.sentence} | ({"until": _time(event.until)} if event.until else {})
    return fields


def _of_entry(entry: Entry) -> dict[str, object]:
    return {
        "device": entry.device,
        "profile": entry.profile,
        "subject": entry.subject,
        "serial": f"{entry.serial:x}",
        "until": _time(entry.not_after),
        "by": f"{entry.method} {entry.requester}",
        "from": entry.address,
        "label": entry.label,
        "request": entry.request_id,
    }


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


def _causes(error: BaseException | None) -> str:
    """The errors behind a trouble, the nearest first, each with the place in the code that raised it."""
    told = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        told.append(f"{type(error).__name__}: {error}{place}")
        error = error.__cause__ or error.__context__
    return "; after ".join(told)


def _time(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"


class _Text(logging.Formatter):
    """`time LEVEL name key=value ...`, every value on the line whatever it holds."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Mapping[str, object] = getattr(record, "fields", {})
        told = " ".join(f"{key}={_quote(value)}" for key, value in fields.items())
        line = f"{_stamp(record)} {record.levelname:<7} {_escape(record.getMessage())}"
        return f"{line}: {told}" if told else line


class _Json(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Mapping[str, object] = getattr(record, "fields", {})
        head = {"time": _stamp(record), "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(head | dict(fields), ensure_ascii=True, default=str)


def _stamp(record: logging.LogRecord) -> str:
    return _time(datetime.fromtimestamp(record.created, UTC))


def _quote(value: object) -> str:
    text = _escape(str(value))
    return '"' + text.replace('"', '\\"') + '"' if " " in text or '"' in text or not text else text


def _escape(text: str) -> str:
    """Keep a line a line, and a terminal unharmed, whatever a common name holds."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
