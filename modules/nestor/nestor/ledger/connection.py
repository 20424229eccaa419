"""Connections to the ledger's file, and what SQLite's errors mean to a person.

A connection never makes the file: a ledger that is gone must not come back empty.
"""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from nestor.errors import CannotIssue

_PATIENCE = 3.0
"""Seconds to wait for another process that is writing."""

_CHECKPOINT_PAGES = 4000
"""How far the write-ahead log grows before it is copied into the file: 16 MB; the more at once, the less in all."""

_DAMAGED = ("The ledger is damaged.", "Restore it from a backup.")
_MEANINGS = {
    "SQLITE_FULL": ("The disk that holds the ledger is full.", "Free some space; issuing resumes by itself."),
    "SQLITE_READONLY": ("The ledger cannot be written: its file or file system is read-only.", "Make it writable."),
    "SQLITE_CANTOPEN": ("The ledger cannot be opened.", "Check owner, mode and space of its directory."),
    "SQLITE_BUSY": ("Another process keeps the ledger locked.", "Wait for it, or end it."),
    "SQLITE_IOERR": ("The disk that holds the ledger fails or is full.", "Check the disk and its free space."),
    "SQLITE_CONSTRAINT": (
        "The ledger has another certificate of this issuer with the same serial number.",
        "Ask again. Where a server above repeats serial numbers, its operator mends it.",
    ),
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "Replaced": ("The ledger's file was removed or replaced while in use.", "Put it back, or restart the server."),
}


class Replaced(OSError):
    """The file in the ledger's place is not the one that was opened."""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open an existing ledger; every commit waits for the disk (design D5). Raises sqlite3.Error.

    Transactions are begun by hand; a question outside of one sees the newest commit of whatever process. A connection
    that only reads changes nothing when it is closed either: it does not fold the write-ahead log into the file.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={'rw' if writable else 'ro'}",
        uri=True,
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def cannot_issue(error: Exception) -> CannotIssue:
    """Why the ledger cannot be read or written at this time, with the error as its cause."""
    trouble = CannotIssue(*_explain(error))
    trouble.__cause__ = error
    return trouble


def damaged() -> CannotIssue:
    """What to say of a ledger with rows that nobody of ours wrote."""
    return CannotIssue(*_DAMAGED)


def _explain(error: Exception) -> tuple[str, str]:
    # The name of an extended code starts with that of its primary one: SQLITE_IOERR_FSYNC.
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    for known, meaning in _MEANINGS.items():
        if name.startswith(known):
            return meaning
    if isinstance(error, OSError):
        return f"The ledger cannot be reached: {error.strerror}.", "Check that its directory is there, owner and mode."
    return f"The ledger cannot take this ({name}).", "The log tells more."
