"""Words about unknown certificates, on disk; and revocations that only the file beside the ledger knows."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.adoption import Adoption
from nestor.errors import CannotIssue
from nestor.ledger import revocations
from nestor.ledger.revocations import Revocation, append_revocation
from nestor.ledger.sqlite import SQLiteLedger
from support.entries import NOON, an_entry
from support.ledgers import opened, without_issuers

HOUR = timedelta(hours=1)
WORD = Adoption(NOON, NOON - 48 * HOUR, NOON - HOUR, NOON + 24 * HOUR, "estIdentity", frozenset({"dev-1", "ab12"}))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SQLiteLedger]:
    async with opened(tmp_path) as on_disk:
        yield on_disk


async def test_a_word_comes_back_as_it_was_given(ledger: SQLiteLedger) -> None:
    number = await ledger.open_adoption(WORD)
    (word,) = await ledger.adoptions()
    assert (word.id, word.opened_at, word.denied, word.profile) == (number, NOON, WORD.denied, "estIdentity")
    assert (word.since, word.until, word.ends_at, word.ended_at) == (WORD.since, WORD.until, WORD.ends_at, None)


async def test_ending_ends_what_is_good_and_nothing_else(ledger: SQLiteLedger) -> None:
    await ledger.open_adoption(Adoption(NOON, NOON - HOUR, NOON, NOON + HOUR))
    await ledger.open_adoption(WORD)
    assert await ledger.end_adoptions(NOON + 2 * HOUR) == 1
    assert await ledger.end_adoptions(NOON + 3 * HOUR) == 0
    assert [word.ended_at for word in await ledger.adoptions()] == [None, NOON + 2 * HOUR]


async def test_another_process_hears_of_a_word_at_once(ledger: SQLiteLedger, tmp_path: Path) -> None:
    async with opened(tmp_path, create=False) as other:
        await other.open_adoption(WORD)
        assert len(await ledger.adoptions()) == 1


async def test_what_was_adopted_is_counted_by_the_word_that_it_came_by(ledger: SQLiteLedger) -> None:
    for requester in ("adoption 1", "adoption 1", "ledger adopt"):
        await ledger.adopt(an_entry(requester=requester, adopted_at=NOON))
    counters = await ledger.counters()
    assert (counters.adopted, counters.issued) == ({"adoption 1": 2, "ledger adopt": 1}, {})


async def test_a_revocation_of_a_certificate_that_the_ledger_does_not_know_is_found(
    ledger: SQLiteLedger, tmp_path: Path
) -> None:
    append_revocation(tmp_path / "revocations.log", Revocation(NOON, b"x" * 32, 0x4711, "stolen"))
    assert await ledger.was_revoked(b"x" * 32, 1, b"issuer")
    assert await ledger.was_revoked(bytes(32), 0x4711, b"issuer")


async def test_revocations_are_read_once_until_there_are_more_or_the_file_is_another_one(
    ledger: SQLiteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, reads = tmp_path / "revocations.log", []
    read = revocations.read_revocations

    def counted(path: Path) -> Iterator[Revocation]:
        reads.append(path)
        return read(path)

    monkeypatch.setattr(revocations, "read_revocations", counted)
    for serial in (1, 2):
        append_revocation(file, Revocation(NOON, bytes([serial]) * 32, serial, "stolen"))
        for _ in range(3):
            assert await ledger.was_revoked(bytes(32), serial, b"issuer")
        assert len(reads) == serial
    merged = tmp_path / "merged"
    append_revocation(merged, Revocation(NOON, b"a" * 32, 7, "stolen"), Revocation(NOON, b"b" * 32, 8, "stolen"))
    merged.replace(file)
    assert await ledger.was_revoked(bytes(32), 7, b"issuer")
    file.unlink()
    assert not await ledger.was_revoked(bytes(32), 7, b"issuer")


async def test_where_revocations_cannot_be_read_nobody_says_that_there_are_none(
    ledger: SQLiteLedger, tmp_path: Path
) -> None:
    (tmp_path / "revocations.log").write_text("torn\n")
    with pytest.raises(CannotIssue, match="Line 1"):
        await ledger.was_revoked(bytes(32), 1, b"issuer")


async def test_the_clock_floor_is_raised_and_never_lowered(ledger: SQLiteLedger) -> None:
    await ledger.raise_clock_floor(NOON)
    await ledger.raise_clock_floor(NOON - HOUR)
    assert await ledger.newest() == NOON
    await ledger.raise_clock_floor(NOON + HOUR)
    assert await ledger.newest() == NOON + HOUR


async def test_a_ledger_of_the_first_revision_keeps_its_rows_and_learns_of_adoptions(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = await ledger.record(an_entry(), replay=None, one_time=None)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        without_issuers(connection)
        connection.execute("ALTER TABLE certificates DROP COLUMN adopted_at")
        connection.execute("ALTER TABLE certificates DROP COLUMN forwarder")
        connection.execute("DROP TABLE adoptions")
        connection.execute("DROP TABLE intents")
        connection.execute("DROP TABLE approvals")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    async with opened(tmp_path, create=False) as ledger:
        assert await ledger.find(entry.sha256) == entry
        await ledger.open_adoption(WORD)
        await ledger.adopt(an_entry("pump-2", adopted_at=NOON))
