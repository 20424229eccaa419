"""The log: one line per event, as text or JSON. Whatever came from outside is escaped; secrets never get here.

Libraries log through the same door, at warning and above, so that an operator reads one stream.
"""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from nestor.events import Adopted, Enrolled, Event, Note, Refused, Revoked, SettingsApplied, SettingsRefused, Trouble
from nestor.model import Entry, Refusal
from nestor.ops.settings import LogFormat, LogSettings

_LOGGER = logging.getLogger("nestor")

_NAMES: Mapping[type, str] = {
    Enrolled: "enrolled",
    Refused: "refused",
    Revoked: "revoked",
    Adopted: "adopted",
    SettingsApplied: "settings applied",
    SettingsRefused: "settings refused",
}
_LEVELS: Mapping[type, int] = {
    Refused: logging.WARNING,
    Revoked: logging.WARNING,
    Adopted: logging.WARNING,
    SettingsRefused: logging.ERROR,
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
        _LOGGER.log(level, name, extra={"fields": fields})


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
        case Revoked(serial, subject, reason):
            fields = {"serial": f"{serial:x}", "subject": subject, "reason": reason}
        case SettingsApplied(revision):
            fields = {"revision": revision}
        case SettingsRefused(sentence) | Trouble(_, sentence):
            fields = {"why": sentence}
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


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


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
    return json.dumps(text) if " " in text or '"' in text or not text else text


def _escape(text: str) -> str:
    """Keep a line a line, and a terminal unharmed, whatever a common name holds."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
