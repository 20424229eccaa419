"""A copy of the ledger, taken while others write into it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nestor.errors import MaterialError
from nestor.ledger.snapshot import check_whole, take_snapshot
from support.entries import NOON, an_entry
from support.ledgers import opened


async def test_a_copy_holds_what_was_committed_and_says_so_in_short(tmp_path: Path) -> None:
    copy = tmp_path / "copy of it.db"
    async with opened(tmp_path) as ledger:
        entries = [await ledger.record(an_entry(f"pump-{n}"), replay=None, one_time=None) for n in range(5)]
        await ledger.revoke(entries[1].sha256, "lost", NOON)
        await ledger.pin_authority("ab" * 32)
        taken = take_snapshot(tmp_path, copy)
        await ledger.record(an_entry(), replay=None, one_time=None)
    assert (taken.certificates, taken.revoked, taken.newest_at) == (5, 1, NOON)
    assert (taken.newest_serial, taken.authority) == (entries[-1].serial, "ab" * 32)
    assert copy.stat().st_mode & 0o777 == 0o600
    check_whole(copy)
    (tmp_path / "back").mkdir()
    copy.rename(tmp_path / "back" / "ledger.db")
    async with opened(tmp_path / "back", create=False) as back:
        assert [await back.find(entry.sha256) is not None for entry in entries] == [True] * 5


async def test_an_empty_ledger_can_be_copied(tmp_path: Path) -> None:
    async with opened(tmp_path):
        taken = take_snapshot(tmp_path, tmp_path / "copy")
    assert (taken.certificates, taken.newest_serial, taken.newest_at, taken.authority) == (0, None, None, None)


async def test_copies_taken_under_load_are_whole_and_hold_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    acknowledged: list[bytes] = []
    async with opened(tmp_path) as ledger:

        async def write() -> None:
            while True:
                entry = await ledger.record(an_entry(), replay=None, one_time=None)
                acknowledged.append(entry.sha256)

        writers = [asyncio.ensure_future(write()) for _ in range(4)]
        for number in range(10):
            await asyncio.sleep(0.02)
            before, copy = list(acknowledged), tmp_path / f"copy-{number}"
            await asyncio.to_thread(take_snapshot, tmp_path, copy)
            check_whole(copy)
            with closing(sqlite3.connect(copy)) as connection:
                held = {sha256 for (sha256,) in connection.execute("SELECT sha256 FROM certificates")}
            assert held.issuperset(before)
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
    assert len(acknowledged) > 40


def test_a_ledger_that_is_gone_is_an_error_and_leaves_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="ledger"):
        take_snapshot(tmp_path, tmp_path / "copy")
    assert not (tmp_path / "ledger.db").exists()


async def test_a_copy_that_is_damaged_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        for n in range(300):
            await ledger.record(an_entry(f"pump-{n}"), replay=None, one_time=None)
        take_snapshot(tmp_path, tmp_path / "copy")
    content = bytearray((tmp_path / "copy").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(MaterialError, match="damaged"):
        check_whole(tmp_path / "copy")
