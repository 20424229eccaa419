import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nestor.ledger.connection import connect
from nestor.ledger.transaction import Transaction
from nestor.ledger.wholeness import is_whole
from support.entries import NOON, a_replay, an_entry
from support.ledgers import opened


def whole(path: Path) -> bool:
    with closing(connect(path, writable=False)) as connection:
        return is_whole(connection, path)


async def test_a_closed_ledger_is_whole_until_a_byte_is_cut_off(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.record(an_entry(), replay=None, one_time=None)
    path = tmp_path / "ledger.db"
    assert whole(path)
    os.truncate(path, path.stat().st_size - 1)
    assert not whole(path)
    # Looking at it has not made it look better.
    assert not whole(path)


async def test_a_ledger_in_use_is_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        for _ in range(20):
            await ledger.record(an_entry(), replay=None, one_time=None)
            assert whole(tmp_path / "ledger.db")


async def test_a_ledger_that_gave_pages_back_before_a_crash_is_whole(tmp_path: Path) -> None:
    path, crashed = tmp_path / "ledger.db", tmp_path / "crashed"
    late = NOON + timedelta(hours=1)

    def come_and_go(transaction: Transaction) -> None:
        for _ in range(300):
            transaction.record(an_entry(), replace(a_replay()), None)
        transaction.record(an_entry(issued_at=late), None, None)
        transaction.forget_replays()

    async with opened(tmp_path) as ledger:
        for _ in range(3):
            await ledger._writer.run(come_and_go)
        crashed.mkdir()
        for name in ("ledger.db", "ledger.db-wal"):
            shutil.copy(tmp_path / name, crashed / name)
    with closing(sqlite3.connect(crashed / "ledger.db")) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() > (0,)
    async with opened(crashed, create=False) as ledger:
        assert sum((await ledger.counters()).issued.values()) == 3 * 301
    assert whole(path)
