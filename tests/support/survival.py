"""What must hold of a ledger after whatever happened to its process: the checker of every crash test.

It reads the file itself, with nothing of Nestor between, and knows only what was received from outside.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Received:
    """A certificate that somebody received; `request` names the request, and is the same for each of its retries."""

    request: str
    serial: int
    sha256: bytes


def violations(ledger: Path, received: Iterable[Received]) -> list[str]:
    """What does not hold of the ledger, as sentences; empty when all is well."""
    received = list(received)
    with closing(sqlite3.connect(ledger)) as connection:
        found = [f"integrity: {line}" for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
        rows = connection.execute("SELECT sha256, serial FROM certificates JOIN encodings ON certificate_id = id")
        recorded = {sha256: int.from_bytes(serial, "big") for sha256, serial in rows}
    found += [
        f"received but not recorded: {one.serial:x}" for one in received if recorded.get(one.sha256) != one.serial
    ]
    found += _ambiguous("certificates share the serial number", ((f"{one.serial:x}", one.sha256) for one in received))
    found += _ambiguous("certificates answer the request", ((one.request, one.sha256) for one in received))
    return found


def _ambiguous(what: str, pairs: Iterable[tuple[str, bytes]]) -> list[str]:
    """The names that stand for more than one certificate."""
    certificates: dict[str, set[bytes]] = defaultdict(set)
    for name, sha256 in pairs:
        certificates[name].add(sha256)
    return [f"{len(several)} {what} {name}" for name, several in certificates.items() if len(several) > 1]
