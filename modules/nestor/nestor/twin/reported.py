"""The reported document: acknowledgements under the desired names, the status under names of its own; bounded. Pure.

It stays under 8 KB whatever happens. Where it would not, everything is told in less and less room, in this order:
shorter texts, fewer names in each list (the largest counts, the others added up), fewer acknowledgements (the refused
ones stay longest); a long value that is acknowledged becomes its digest. If even that is not enough, the last ones go.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from nestor.twin.legal import legal, shortened, size

LIMIT = 8 * 1024 - 1
"""Bytes of the whole document, in the longest form in which JSON is written."""

OTHERS = "others"
"""Stands for the names of a list that had no room."""

_REFUSED = 400


@dataclass(frozen=True, slots=True)
class _Room:
    """Bytes of a text, names in a list, acknowledgements in all."""

    text: int
    names: int
    acknowledgements: int


_ROOMS = (_Room(1024, 24, 48), _Room(512, 16, 32), _Room(256, 12, 24), _Room(128, 8, 16), _Room(96, 4, 8))


def reported(acknowledgements: Mapping[str, object], status: Mapping[str, object]) -> dict[str, Any]:
    """The document that the hub is to hold; sections of the status go before acknowledgements of the same name."""
    sections = _filled(legal(status))
    answers = {name: answer for name, answer in legal(acknowledgements).items() if name not in sections}
    document: dict[str, Any] = {}
    for room in _ROOMS:
        document = {name: _fitted(value, room) for name, value in sections.items()} | _answers(answers, room)
        if size(document) <= LIMIT:
            return document
    while size(document) > LIMIT:
        document.popitem()
    return document


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what is empty: a status has nothing to tell there, while an acknowledged value may be so."""
    inner = {name: _filled(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return {name: value for name, value in inner.items() if value not in ({}, [], "")}


def _answers(answers: Mapping[str, Any], room: _Room) -> dict[str, Any]:
    """The acknowledgements that have room, in their order; those of what was refused are left out last."""
    ordered = sorted(answers, key=lambda name: not _is_refused(answers[name]))
    kept = set(ordered[: room.acknowledgements])
    return {name: _answer(answer, room) for name, answer in answers.items() if name in kept}


def _is_refused(answer: Any) -> bool:
    code = answer.get("ac") if isinstance(answer, Mapping) else None
    return isinstance(code, int) and code >= _REFUSED


def _answer(answer: Any, room: _Room) -> Any:
    if not isinstance(answer, Mapping):
        return _fitted(answer, room)
    return {key: _digested(value, room) if key == "value" else _fitted(value, room) for key, value in answer.items()}


def _digested(value: Any, room: _Room) -> Any:
    if size(value) <= room.text:
        return value
    return f"sha256:{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]}"


def _fitted(value: Any, room: _Room, depth: int = 0) -> Any:
    match value:
        case str():
            return shortened(value, room.text)
        case list():
            return [_fitted(item, room, depth + 1) for item in value[: room.names]]
        case dict():
            kept = _kept(value, room.names) if depth else value
            return {name: _fitted(item, room, depth + 1) for name, item in kept.items()}
        case _:
            return value


def _kept(values: Mapping[str, Any], names: int) -> Mapping[str, Any]:
    """The names of a list that have room: of counts the largest ones, else the first; and what the others come to."""
    if len(values) <= names:
        return values
    counts = {name: value for name, value in values.items() if isinstance(value, int)}
    if len(counts) < len(values):
        return {**dict(islice(values.items(), names - 1)), OTHERS: len(values) - names + 1}
    largest = set(_largest(counts, names - 1))
    rest = sum(count for name, count in counts.items() if name not in largest)
    return {**{name: count for name, count in counts.items() if name in largest}, OTHERS: rest}


def _largest(counts: Mapping[str, int], number: int) -> Sequence[str]:
    return sorted(counts, key=lambda name: (name == OTHERS, -counts[name], name))[:number]
