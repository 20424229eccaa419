"""What one commit writes: everything or nothing, in order, within its bounds."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from nestor.ledger.schema import metadata
from nestor.ledger.transaction import CLOCK_FLOOR, Act, commit
from nestor.model import Entry
from support.entries import NOON, a_refusal, an_entry


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        metadata.create_all(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))
        yield connection


def count(connection: sqlite3.Connection, table: str) -> int:
    (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(number)


def test_acts_are_committed_all_or_none(connection: sqlite3.Connection) -> None:
    entries = iter([an_entry(serial=1), an_entry(serial=1)])
    with pytest.raises(sqlite3.IntegrityError):
        commit(connection, [lambda transaction: transaction.record(next(entries), None, None)] * 2)
    assert not connection.in_transaction
    assert [count(connection, table) for table in ("certificates", "encodings", "counters", "facts")] == [0, 0, 0, 0]


def test_results_come_in_the_order_of_the_acts(connection: sqlite3.Connection) -> None:
    entries = [an_entry(f"pump-{n}") for n in range(5)]

    def recording(n: int) -> Act[Entry]:
        return lambda transaction: transaction.record(entries[n], None, None)

    recorded = commit(connection, [recording(n) for n in range(5)])
    assert [(entry.device, entry.id) for entry in recorded] == [(f"pump-{n}", n + 1) for n in range(5)]


def test_the_clock_floor_only_rises(connection: sqlite3.Connection) -> None:
    for moment in (NOON, NOON - timedelta(minutes=4)):
        entry = an_entry(issued_at=moment)
        commit(connection, [lambda transaction, entry=entry: transaction.record(entry, None, None)])
    (floor,) = connection.execute("SELECT value FROM facts WHERE name = ?", (CLOCK_FLOOR,)).fetchone()
    assert int(floor) == NOON.timestamp()


def test_only_the_newest_refusals_are_kept(connection: sqlite3.Connection) -> None:
    for _ in range(3):
        refusals = [a_refusal() for _ in range(10)]
        commit(
            connection, [lambda transaction, new=refusals: transaction.note_refusals(new, Counter(Forbidden=10), 15)]
        )
    assert count(connection, "refusals") == 15
    assert connection.execute("SELECT max(id) FROM refusals").fetchone() == (30,)


def test_no_refusals_are_kept_where_none_are_wanted(connection: sqlite3.Connection) -> None:
    commit(connection, [lambda transaction: transaction.note_refusals([a_refusal()], Counter(Forbidden=1), 0)])
    assert count(connection, "refusals") == 0
    assert connection.execute("SELECT value FROM counters").fetchall() == [(1,)]
