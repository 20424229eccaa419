"""Connections to the ledger's file: none makes one, and each commit reaches the disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nestor.ledger.connection import Replaced, cannot_issue, connect
from support.ledgers import opened


async def test_no_connection_makes_a_ledger(tmp_path: Path) -> None:
    for writable in (True, False):
        with pytest.raises(sqlite3.OperationalError):
            connect(tmp_path / "ledger.db", writable=writable)
    assert not (tmp_path / "ledger.db").exists()


async def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with closing(connect(tmp_path / "ledger.db", writable=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with (
        closing(connect(tmp_path / "ledger.db", writable=False)) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        connection.execute("DELETE FROM facts")


async def test_a_path_with_signs_of_a_uri_is_only_a_path(tmp_path: Path) -> None:
    place = tmp_path / "50%20? #1"
    place.mkdir()
    async with opened(place) as ledger:
        assert ledger.problem() is None
    assert (place / "ledger.db").exists()


def named(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("near secret: syntax error")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (named("SQLITE_FULL"), "The disk that holds the ledger is full."),
        (named("SQLITE_IOERR_FSYNC"), "The disk that holds the ledger fails or is full."),
        (named("SQLITE_READONLY_DBMOVED"), "The ledger cannot be written: its file or file system is read-only."),
        (named("SQLITE_CORRUPT_INDEX"), "The ledger is damaged."),
        (named("SQLITE_MISUSE"), "The ledger cannot take this (SQLITE_MISUSE)."),
        (Replaced(), "The ledger's file was removed or replaced while in use."),
        (PermissionError(13, "Permission denied"), "The ledger cannot be reached: Permission denied."),
        (ZeroDivisionError(), "The ledger cannot take this (ZeroDivisionError)."),
    ],
)
def test_an_error_of_the_database_becomes_a_sentence_and_a_hint(error: Exception, sentence: str) -> None:
    trouble = cannot_issue(error)
    assert trouble.sentence == sentence
    assert trouble.hint
    assert trouble.__cause__ is error
