"""How a line of the log is written: for people, as the IoT Edge runtime writes it, or as JSON. Never more than a line.

Whatever came from outside is escaped: no name ends a line or moves the cursor of a terminal.
"""

import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nestor.ops.settings import LogFormat


@dataclass(frozen=True, slots=True)
class _Weight:
    """A level: its word, the severity of syslog (RFC 5424, 6.2.1) and the short word of the IoT Edge runtime."""

    word: str
    severity: int
    short: str


_DEBUG = _Weight("debug", 7, "DBG")
_WEIGHTS: Mapping[int, _Weight] = {
    logging.INFO: _Weight("info", 6, "INF"),
    logging.WARNING: _Weight("warning", 4, "WRN"),
    logging.ERROR: _Weight("error", 3, "ERR"),
    logging.CRITICAL: _Weight("fatal", 0, "FTL"),
}


def formatter_for(form: LogFormat) -> logging.Formatter:
    """What writes the lines of a format."""
    match form:
        case LogFormat.JSON:
            return _Json()
        case LogFormat.RUNTIME:
            return _Runtime()
        case LogFormat.TEXT:
            return _Text()


def is_text(formatter: logging.Formatter | None) -> bool:
    """Whether a formatter writes for people."""
    return isinstance(formatter, _Text)


def causes(error: BaseException | None) -> str:
    """The errors behind a trouble, the nearest first, each with the place in the code that raised it."""
    told = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        told.append(f"{type(error).__name__}: {error}{place}")
        error = error.__cause__ or error.__context__
    return "; after ".join(told)


def show_time(moment: datetime) -> str:
    """A moment to the second."""
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"


class _Text(logging.Formatter):
    """`time LEVEL name: key=value ...`."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{show_time(_moment(record))} {_weight(record).word.upper():<7} {_message(record)}"


class _Runtime(logging.Formatter):
    """`<6> 2026-11-26 10:09:18.123 +00:00 [INF] - name: key=value ...`: what `GetModuleLogs` filters by."""

    def format(self, record: logging.LogRecord) -> str:
        weight, moment = _weight(record), _moment(record)
        stamp = moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        return f"<{weight.severity}> {stamp} +00:00 [{weight.short}] - {_message(record)}"


class _Json(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        head = {"time": show_time(_moment(record)), "level": _weight(record).word, "event": record.getMessage()}
        return json.dumps(head | _fields(record), ensure_ascii=True, default=str)


def _weight(record: logging.LogRecord) -> _Weight:
    return _WEIGHTS.get(record.levelno, _DEBUG)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """The fields of an event, or the error that a library tells."""
    fields: dict[str, object] = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1]:
        fields["cause"] = causes(record.exc_info[1])
    return fields


def _message(record: logging.LogRecord) -> str:
    told = " ".join(f"{key}={_quote(value)}" for key, value in _fields(record).items())
    name = _escape(record.getMessage())
    return f"{name}: {told}" if told else name


def _quote(value: object) -> str:
    text = _escape(str(value))
    return '"' + text.replace('"', '\\"') + '"' if " " in text or '"' in text or not text else text


def _escape(text: str) -> str:
    """Keep a line a line, and a terminal unharmed, whatever a common name holds."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
