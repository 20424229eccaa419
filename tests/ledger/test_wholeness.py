"""A ledger's file that lacks its end is noticed, be it a byte."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nestor.ledger.connection import connect
from nestor.ledger.wholeness import is_whole, missing_pages
from support.entries import an_entry
from support.ledgers import opened


def whole(path: Path) -> bool:
    try:
        with closing(connect(path, writable=False)) as connection:
            return is_whole(connection, path)
    except sqlite3.DatabaseError:  # SQLite has noticed it by itself
        return False


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


async def test_what_is_left_of_an_earlier_log_makes_up_for_nothing(tmp_path: Path) -> None:
    path, cut = tmp_path / "ledger.db", tmp_path / "cut.db"
    async with opened(tmp_path) as ledger:
        for _ in range(30):
            await ledger.record(an_entry(), replay=None, one_time=None)
        with closing(connect(path, writable=True)) as connection:
            connection.execute("PRAGMA wal_checkpoint(RESTART)")
        await ledger.pin_authority("ab" * 32)
        shutil.copy(path, cut)
        shutil.copy(f"{path}-wal", f"{cut}-wal")
    assert whole(cut)
    os.truncate(cut, cut.stat().st_size - 4 * 4096)
    assert not whole(cut)


@pytest.mark.parametrize(
    ("file_size", "logged", "missing"),
    [
        (40_960, set(), set()),
        (40_959, set(), {10}),
        (40_959, {10}, set()),
        (40_960 - 8192, {9, 11}, {10}),
        (50_000, set(), set()),
    ],
)
def test_a_page_is_in_the_file_or_in_the_log(file_size: int, logged: set[int], missing: set[int]) -> None:
    assert missing_pages(10, 4096, file_size, logged) == missing


def test_the_page_of_the_lock_byte_is_never_missing() -> None:
    assert missing_pages(2**18 + 2, 4096, 2**30, {2**18 + 2}) == set()
