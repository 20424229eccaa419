"""What is answered to a desired document, property by property, as IoT Plug and Play wants it. Pure.

    value    what is in force: whole where it is small, else its digest; `defaults` where no wish is
    ac       200 in force, 400 refused, 500 a fault of ours
    av       the `$version` that is answered
    ad       what is to be known, if anything: why it is refused and what to do, or which power it widens

All of them together stay within 3 KB, whatever was wished: they share the 8 KB that reports may take.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestor.twin.kept import digest_of
from nestor.twin.legal import DEEPEST, legal_key, shortened, size

MOST_BYTES = 3 * 1024
APPLIED, REFUSED, FAILED = 200, 400, 500

_MOST_UNKNOWN = 4
_DEFAULTS = "defaults"
"""What is in force where the twin says nothing that is; a report holds nothing that is empty."""

_STEPS = ((240, 480), (120, 240), (64, 120), (32, 60))
"""How long a value and a text may be, in bytes: the first step at which everything fits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a desired document.

    `in_force` is the document that is served by now. `faults` are lines that begin with the path of what is wrong;
    `notes` are lines that tell of what is in force: of one property with its path, of all without one. `code` is what
    faulty properties are answered with.
    """

    desired: Mapping[str, Any]
    in_force: Mapping[str, Any]
    version: int
    known: Collection[str]
    faults: Sequence[str] = ()
    hint: str = ""
    notes: Sequence[str] = ()
    code: int = REFUSED


def acknowledge(answer: Answer) -> dict[str, dict[str, Any]]:
    """The acknowledgement of every property that is wished; defaults are not acknowledged."""
    said = {key: _say(answer, key) for key in _keys(answer)}
    acknowledged: dict[str, dict[str, Any]] = {}
    for value_bytes, text_bytes in _STEPS:
        acknowledged = {
            key: {"value": _value(answer, key, value_bytes), "ac": code, "av": answer.version}
            | ({"ad": shortened(text, text_bytes)} if text else {})
            for key, (code, text) in said.items()
        }
        if size(acknowledged) <= MOST_BYTES:
            break
    return acknowledged


def property_of(line: str, desired: Iterable[str]) -> str | None:
    """The property that a line is about, by the path that it begins with."""
    fitting = [key for key in desired if line == key or line.startswith((f"{key}.", f"{key}:"))]
    return max(fitting, key=len, default=None)


def placed(line: str, desired: Mapping[str, Any]) -> str:
    """A line that begins with the path of what it is about; what a file makes go wrong tells the file alone."""
    if property_of(line, desired) is not None:
        return line
    path = next((path for path, named in _references(desired, "", 0) if named in line), None)
    return line if path is None else f"{path}: {line}"


def _references(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth < DEEPEST:
        for key, below in value.items():
            yield from _references(below, f"{path}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, str) and value.startswith(("file:", "env:")) and len(value) > len("file:"):
        yield path, value.removeprefix("env:")


def _keys(answer: Answer) -> Iterator[str]:
    """Those that Nestor knows, then a few of the others, if a report may have such a key."""
    yield from (key for key in answer.desired if key in answer.known)
    unknown = (key for key in answer.desired if key not in answer.known and _is_legal(key))
    yield from (key for key, _ in zip(unknown, range(_MOST_UNKNOWN), strict=False))


def _say(answer: Answer, key: str) -> tuple[int, str]:
    own = [line for line in answer.faults if _is_about(answer, line, key)]
    if own:
        return answer.code, " ".join([*own, answer.hint]).strip()
    told = " ".join(line for line in answer.notes if property_of(line, answer.desired) in {key, None})
    if not answer.faults or answer.desired[key] == answer.in_force.get(key):
        return APPLIED, told
    return answer.code, f"Not applied: settings are applied whole, and {_culprits(answer)} cannot be."


def _is_about(answer: Answer, line: str, key: str) -> bool:
    """Whether a line is about a property; one that names none is about all that would have changed."""
    named = property_of(line, answer.desired)
    changed = answer.desired[key] != answer.in_force.get(key)
    return named == key if named is not None else changed


def _culprits(answer: Answer) -> str:
    named = dict.fromkeys(key for line in answer.faults if (key := property_of(line, answer.desired)) is not None)
    return shortened(", ".join(key for key in named if _is_legal(key)), 120) or "another property"


def _value(answer: Answer, key: str, most: int) -> object:
    value = answer.in_force.get(key)
    if not value:
        return _DEFAULTS
    small = size(value) <= most and not _holds_hash(value)
    return value if small else f"sha256:{digest_of(value)[:16]}"


def _holds_hash(value: object) -> bool:
    """Whether a password hash stands in it, which no report needs to repeat."""
    if isinstance(value, Mapping):
        return any(map(_holds_hash, value.values()))
    return isinstance(value, str) and value.startswith("$")


def _is_legal(key: str) -> bool:
    """Whether a report may have such a key as it is."""
    return legal_key(key) == key
