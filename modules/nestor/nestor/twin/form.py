"""The form of a twin document, looked at before anything else reads it: as large, deep and wide as a hub lets it be.

A real hub keeps these rules itself (32 KB, ten levels, no arrays with holes); whoever stands in its place may not. No
step here grows faster than the document, and none calls itself.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nestor.errors import SettingsError
from nestor.twin.legal import DEEPEST, LARGEST, LONGEST_TEXT, SMALLEST

MOST_BYTES = 32 * 1024
LONGEST_KEY = 1024
MOST_KEYS = 256
"""Of one table. A hub takes thousands, and to build that many profiles or labels would keep devices waiting."""

_SHOWN = 60
_MOST_FAULTS = 20
_HINT = "The module twin is a JSON object of tables, texts, numbers and true or false (docs/twin.md)."


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    value: object
    depth: int


def check_form(document: Mapping[str, object]) -> None:
    """Raise SettingsError, a line for every key that no hub would hold, for a document that is none of a twin."""
    total = 0
    faults: list[str] = []
    waiting = [_Place("", document, 0)]
    while waiting:
        place = waiting.pop()
        total += _weight(place.value)
        if total > MOST_BYTES:
            raise SettingsError(f"The document is larger than the {MOST_BYTES:,} bytes of a twin.", _HINT)
        faults += [f"{shown(place.path)}: {sentence}." for sentence in _faults(place)]
        if len(faults) >= _MOST_FAULTS:
            break
        if isinstance(place.value, Mapping) and place.depth < DEEPEST:
            waiting += _below(place.path, place.value, place.depth + 1)
    if faults:
        raise SettingsError("\n".join(faults), _HINT)


def shown(path: str) -> str:
    """A path as a sentence names it: short, and on one line, whatever its keys hold."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in path[: 2 * _SHOWN + 1]) or "the document"
    return plain if len(plain) <= 2 * _SHOWN else f"{plain[:_SHOWN]}..."


def _below(path: str, table: Mapping[object, object], depth: int) -> Iterator[_Place]:
    for key, value in table.items():
        yield _Place(f"{path}.{key}" if path else str(key), value, depth)


def _weight(value: object) -> int:
    """As a hub counts: texts and keys by their bytes, numbers 8, true and false 4."""
    if isinstance(value, Mapping):
        return sum(_bytes(key) for key in value)
    return _bytes(value) if isinstance(value, str) else 8


def _bytes(text: object) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 8


def _faults(place: _Place) -> Iterator[str]:
    match place.value:
        case Mapping():
            yield from _faults_of_table(place)
        case str():
            yield from _faults_of_text(place.value)
        case bool() | None:
            return
        case int():
            if not SMALLEST <= place.value <= LARGEST:
                yield "the number is larger than a twin holds"
        case float():
            if not math.isfinite(place.value):
                yield "it is not a number"
        case list() | tuple():
            yield 'several values are one string with commas between them: "a, b"'
        case _:
            yield "a twin holds no such value"


def _faults_of_table(place: _Place) -> Iterator[str]:
    if place.depth >= DEEPEST and place.value:
        yield f"tables are nested more than {DEEPEST} levels deep"
    if isinstance(place.value, Mapping) and len(place.value) > MOST_KEYS:
        yield f"the table has more than {MOST_KEYS} keys"
        return
    for key in place.value if isinstance(place.value, Mapping) else ():
        if not isinstance(key, str) or not key or len(key) > LONGEST_KEY:
            yield f"a key is a text of 1 to {LONGEST_KEY} characters"
        elif not key.isprintable():
            yield "a key holds signs that cannot be shown"


def _faults_of_text(text: str) -> Iterator[str]:
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT:
        yield f"the text is longer than {LONGEST_TEXT:,} bytes"
    elif any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):  # noqa: PLR2004 -- the surrogates of UTF-16
        yield "the text is not Unicode"
