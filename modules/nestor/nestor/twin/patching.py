"""Only what changed: patches from what the hub holds to what it is to hold. Pure.

A patch is laid over a document as in RFC 7386: maps are merged, null deletes. One that nobody confirmed may have
arrived or not; what it touched is then doubtful, differs from everything, and is sent again.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nestor.twin.legal import size

Held = Mapping[str, Any]
"""A document as the hub holds it, as far as that is known."""

_DOUBT = object()


def difference(held: Held, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that turns one document into the other; empty where nothing differs. `$` keys are the hub's own."""
    patch: dict[str, Any] = {key: None for key in held if key not in wanted and not key.startswith("$")}
    for key, value in wanted.items():
        below = held.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            if inner := difference(below, value):
                patch[key] = inner
        elif key not in held or _differ(below, value):
            patch[key] = value
    return patch


def doubtful(held: Held, patch: Mapping[str, Any]) -> dict[str, Any]:
    """What is known to be held after a patch that may not have arrived."""
    left = dict(held)
    for key, value in patch.items():
        below = held.get(key)
        if isinstance(value, Mapping):
            left[key] = doubtful(below if isinstance(below, Mapping) else {}, value)
        elif isinstance(below, Mapping):
            left[key] = doubtful(below, dict.fromkeys(below))
        else:
            left[key] = _DOUBT
    return left


def portions(patch: Mapping[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """The patch in parts of so many bytes, as far as its top-level keys allow: the hub may hold much that is to go."""
    part: dict[str, Any] = {}
    for key, value in patch.items():
        if part and size(part | {key: value}) > most:
            yield part
            part = {}
        part[key] = value
    if part:
        yield part


def _differ(held: object, value: object) -> bool:
    """Whether two values differ that are not both maps; True and 1 do, as in JSON."""
    if held is _DOUBT or isinstance(held, Mapping) or isinstance(value, Mapping):
        return True
    return json.dumps(held) != json.dumps(value)
