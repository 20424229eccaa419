"""What servers tell of each other, from one layer up to the top: the value as bytes, written and read. Pure.

A server tells of itself first and of those above it behind, as it heard of them. How many more may be asked stands in
Max-Forwards (RFC 9110, 7.6.2), one fewer at each, so that a ring ends. Nothing that is read is believed to be short or
fit to be shown.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nestor.conveyance import MOST_HOPS, Hop
from nestor.errors import Malformed

PATH = "/layers"
"""Where a server tells of itself and of those above it."""

TYPE = "application/json"

HOPS_LEFT = "Max-Forwards"
"""The header that says how many servers above may be asked yet."""

_MOST = MOST_HOPS + 1
_LONGEST_TEXT = 600
_MOST_NAMES = 16


def read_left(value: str | None) -> int:
    """How many servers above may be asked; never more than a request may pass."""
    left = (value or "").strip()
    return min(int(left[:3]), MOST_HOPS) if left.isascii() and left.isdecimal() else MOST_HOPS


def write(hops: Sequence[Hop]) -> bytes:
    """The servers, the one that tells first."""
    return json.dumps({"layers": [_written(hop) for hop in hops[:_MOST]]}).encode()


def read(body: bytes) -> tuple[Hop, ...]:
    """The same. Raises Malformed."""
    try:
        told = json.loads(body)["layers"]
        return tuple(_hop(one) for one in told[:_MOST])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise Malformed("What it tells of the layers cannot be read.") from error


def _written(hop: Hop) -> Mapping[str, Any]:
    told = {
        "server": hop.server,
        "forwards": hop.forwards,
        "problems": list(hop.problems),
        "parent": hop.parent,
        "reached": hop.reached,
        "since": None if hop.since is None else hop.since.isoformat(timespec="seconds"),
        "latency": hop.latency,
        "fault": hop.fault,
    }
    return {key: value for key, value in told.items() if value not in (None, "", [])}


def _hop(told: Mapping[str, Any]) -> Hop:
    reached, latency = told.get("reached"), told.get("latency")
    return Hop(
        server=_text(told["server"]),
        forwards=told.get("forwards") is True,
        problems=tuple(_text(name) for name in list(told.get("problems", ()))[:_MOST_NAMES]),
        parent=_text(told.get("parent", "")),
        reached=reached if isinstance(reached, bool) else None,
        since=_moment(told.get("since")),
        latency=float(latency) if isinstance(latency, int | float) else None,
        fault=_text(told.get("fault", "")),
    )


def _text(value: Any) -> str:
    """A text that can be shown and handed on: bounded, on one line, with what could steer a terminal escaped."""
    safe = "".join(char if char.isprintable() else " " for char in str(value))
    return safe[:_LONGEST_TEXT]


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
