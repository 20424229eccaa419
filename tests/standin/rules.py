"""What edgeHub takes as a patch of reported properties, and IoT Hub behind it: whichever is stricter.

edgeHub checks, stores and answers at once; what only the cloud refuses is lost without a word. So here both refuse.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from standin.errors import StandInError

DEEPEST = 10
LONGEST_KEY, LONGEST_STRING, LARGEST = 1024, 4096, 32 * 1024
LEAST, MOST = -(2**52), 2**52 - 1

_FORBIDDEN = frozenset(".$#")


class Refused(StandInError):
    """A patch that breaks a rule; edgeHub answers it with 400."""


def read_patch(payload: bytes) -> Mapping[str, Any]:
    """A patch of reported properties. Raises Refused with the rule that it breaks."""
    try:
        patch = json.loads(payload, parse_constant=_no_number)
    except ValueError as reason:
        raise Refused(f"The patch is no JSON: {reason}.") from reason
    if not isinstance(patch, dict):
        raise Refused("The patch is no JSON object.")
    for fault in faults(patch):
        raise Refused(fault)
    return patch


def faults(patch: Mapping[str, Any]) -> Iterator[str]:
    """Every rule that a patch breaks, as a sentence with the path."""
    size = len(json.dumps(patch, separators=(",", ":"), ensure_ascii=False).encode())
    if size > LARGEST:
        yield f"The patch has {size} bytes; {LARGEST} are taken."
    yield from _object_faults(patch, "", 1)


def _object_faults(value: Mapping[str, Any], path: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        yield f"{path} is nested deeper than {DEEPEST}."
        return
    for name, below in value.items():
        yield from _name_faults(name, path)
        yield from _value_faults(below, f"{path}/{name}", depth)


def _name_faults(name: str, path: str) -> Iterator[str]:
    if len(name.encode()) > LONGEST_KEY:
        yield f"A name below {path or '/'} has more than {LONGEST_KEY} bytes."
    for letter in name:
        if letter in _FORBIDDEN or letter.isspace() or unicodedata.category(letter) == "Cc":
            yield f"The name {name!r} below {path or '/'} has {letter!r}, which no name may have."


def _value_faults(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _object_faults(value, path, depth + 1)
    elif isinstance(value, list):
        for one in value:
            if one is None:
                yield f"{path} holds null in an array."
            yield from _value_faults(one, path, depth + 1)
    elif isinstance(value, str) and len(value.encode()) > LONGEST_STRING:
        yield f"{path} has more than {LONGEST_STRING} bytes."
    elif isinstance(value, int) and not isinstance(value, bool) and not LEAST <= value <= MOST:
        yield f"{path} is not between {LEAST} and {MOST}."


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
