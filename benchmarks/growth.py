"""Whether an enrollment costs more when the ledger is large: one server with a million rows, one with none, in turns.

The seeded ledger is made through the ledger's own schema and statements, and can be kept for the next time.
"""

import math
import random
import shutil
import sqlite3
import statistics
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.load import Plant, measure
from benchmarks.processes import Nestor
from nestor.ledger import statements
from nestor.ledger.rows import write_entry
from nestor.ledger.schema import REVISION
from nestor.model import Entry, Method, State

ROWS = 1_000_000
_PAIRS = 30
_OPERATIONS = 200
_CROWD = 8
_LIFE = timedelta(days=30)
_CHAIN = 12
"""Certificates of one device, one after the other; the last one lives."""

Row = dict[str, float | str]


def growth(place: Path, cache: Path | None, rows: int = ROWS) -> Iterator[Row]:
    """Pairs of runs, and the middle of their ratios with its interval of 95 %."""
    seeded = _seeded(cache or place, rows)
    large = Nestor(place / "large")
    shutil.copytree(seeded, large.place)
    with large, Nestor(place / "empty") as empty:
        plants = {large: Plant(large, 0), empty: Plant(empty, 0)}
        for keep in (False, True):
            ratios = [_pair(plants, large, empty, keep=keep) for _ in range(_PAIRS + 1)][1:]  # the first one warms up
            low, high = interval(ratios)
            what = "kept connection, password" if keep else "new connection, password"
            yield {"operation": what, "rows": rows, "ratio": statistics.median(ratios), "least": low, "most": high}


def _pair(plants: dict[Nestor, Plant], large: Nestor, empty: Nestor, *, keep: bool) -> float:
    """One run on either server, the one first that happens to be, and what the large ledger cost of the other."""
    order = [large, empty] if random.random() < 1 / 2 else [empty, large]
    spent = {one: measure(one, plants[one].enrollments(_OPERATIONS), _CROWD, keep=keep).cpu_us for one in order}
    return spent[large] / spent[empty]


def interval(values: list[float]) -> tuple[float, float]:
    """Bounds of the median at 95 %, by the sign test: nothing is supposed of how a busy machine disturbs."""
    ordered, count = sorted(values), len(values)
    below = 0
    chance = 1 / 2**count
    while chance <= 0.025:  # noqa: PLR2004 -- half of 5 %
        below += 1
        chance += math.comb(count, below) / 2**count
    return ordered[max(0, below - 1)], ordered[min(count - 1, count - below)]


def _seeded(cache: Path, rows: int) -> Path:
    """The folder of a Nestor whose ledger has so many rows, from the cache or made now."""
    place = cache / f"ledger-{REVISION}-{rows}"
    if not (place / "seeded").exists():
        shutil.rmtree(place, ignore_errors=True)
        with Nestor(place):
            pass
        _seed(place / "data" / "ledger.db", rows)
        (place / "seeded").touch()
    return place


def _seed(ledger: Path, rows: int) -> None:
    """Write rows; a crash in the middle costs nothing here, so the disk is not waited for."""
    chance = random.Random(rows)
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -2000000")
        (first,) = connection.execute("SELECT max(id) + 1 FROM certificates").fetchone()
        with connection:
            now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 -- as old as it is made
            for start in range(0, rows, 10_000):
                entries = [_entry(chance, now, number) for number in range(start, min(start + 10_000, rows))]
                connection.executemany(statements.ADD_CERTIFICATE, map(write_entry, entries))
                connection.executemany(
                    statements.ADD_ENCODING,
                    ({"certificate_id": first + start + at, "der": entry.der} for at, entry in enumerate(entries)),
                )
            connection.execute(statements.COUNT, {"kind": "issued", "name": "deviceIdentity", "value": rows})


def _entry(chance: random.Random, now: datetime, number: int) -> Entry:
    """A certificate of a device that has renewed its identity for a year; its bytes are as long as real ones."""
    generation = number % _CHAIN
    begun = now - timedelta(days=1) - (_CHAIN - 1 - generation) * _LIFE * 0.8
    return replace(
        _EXAMPLE,
        serial=chance.getrandbits(126) | 1 << 127,
        sha256=chance.randbytes(32),
        der=chance.randbytes(480),
        device=f"plant-{number // _CHAIN:06}",
        subject=f"CN=plant-{number // _CHAIN:06}",
        not_before=begun,
        not_after=begun + _LIFE,
        issued_at=begun,
        csr_sha256=chance.randbytes(32),
        spki_sha256=chance.randbytes(32),
        request_id=chance.randbytes(6).hex(),
        state=State.ACTIVE if generation == _CHAIN - 1 else State.SUPERSEDED,
    )


_EXAMPLE = Entry(
    serial=0,
    sha256=b"",
    der=b"",
    device="",
    subject="",
    profile="deviceIdentity",
    label="default",
    not_before=datetime.fromtimestamp(0, UTC),
    not_after=datetime.fromtimestamp(0, UTC),
    issued_at=datetime.fromtimestamp(0, UTC),
    method=Method.PASSWORD,
    requester="estuser",
    origin=Method.PASSWORD,
    via=None,
    address="10.3.0.7",
    csr_sha256=b"",
    spki_sha256=b"",
    request_id="",
    issuer=bytes(range(16)),
)
