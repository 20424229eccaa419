"""What edgeHub takes as reported properties, by construction: whatever comes in, what goes out is never refused.

Its rules (measured in its own validator): no control character, whitespace, `.`, `$` or `#` in a key; texts of 4 KB at
most; whole numbers within 52 bits; ten levels; no null within an array. Null is left out everywhere: it would delete.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST_TEXT = 4096
LARGEST, SMALLEST = 2**52 - 1, -(2**52)
DEEPEST = 10

_LONGEST_KEY = 64
_ELLIPSIS = "..."


def size(value: object) -> int:
    """How many bytes a value takes on the wire, in the longest form in which JSON is written."""
    return len(json.dumps(value))


def legal(document: Mapping[str, object]) -> dict[str, Any]:
    """The document as edgeHub takes it."""
    return _map(document, DEEPEST)


def legal_key(name: str) -> str:
    """A name as a key: what no key may hold is written as in a URL, so that two names never become one key."""
    text = "".join(_escaped(letter) if _is_illegal(letter) else letter for letter in name[: _LONGEST_KEY + 1])
    if text and _fits(text, _LONGEST_KEY):
        return text
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{_cut(text, _LONGEST_KEY - len(digest) - 1)}~{digest}"


def shortened(text: str, most: int) -> str:
    """A text that takes so many bytes at most; where it was cut, it says so."""
    return text if _fits(text, most) else _cut(text, most - len(_ELLIPSIS)) + _ELLIPSIS


def _map(values: Mapping[str, object], levels: int) -> dict[str, Any]:
    found = ((legal_key(name), _value(value, levels - 1)) for name, value in values.items())
    return {key: value for key, value in found if value is not None}


def _value(value: object, levels: int) -> Any:
    match value:
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case Mapping() if levels > 0:
            return _map(value, levels)
        case list() | tuple() if levels > 0:
            return [item for one in value if (item := _value(one, levels - 1)) is not None]
        case _ if _is_plain(value):
            return value
        case _:
            return shortened(str(value).encode(errors="replace").decode(), LONGEST_TEXT)


def _is_plain(value: object) -> bool:
    """Whether a value is null, true, false, or a number that may pass."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and SMALLEST <= value <= LARGEST)


def _is_illegal(letter: str) -> bool:
    return letter in ".$#%~" or not letter.isprintable() or letter.isspace()


def _escaped(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass"))


def _fits(text: str, most: int) -> bool:
    return len(text) <= most and size(text) - 2 <= most


def _cut(text: str, most: int) -> str:
    """As much of the beginning as takes so many bytes."""
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[:middle], most) else (low, middle - 1)
    return text[:low]
