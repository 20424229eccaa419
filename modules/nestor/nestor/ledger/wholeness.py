"""Whether a ledger's file is as long as it must be: a file whose end is cut off can look shorter, but in order.

SQLite notices a file that lost whole pages while it was closed, but not half a page, nor anything under a write-ahead
log. Only the log is read here, never the file itself: closing that would drop the locks of this process on it.
"""

import sqlite3
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

_HEADER = struct.Struct(">8xI4x8s8x")
"""Of a write-ahead log: page size, salts (SQLite's file format, 4.1)."""

_FRAME = struct.Struct(">I4x8s8x")
"""Before each page in it: page number, salts (4.2)."""

_LOCK_BYTE = 2**30
"""The page with this byte is never written (1.4)."""


def is_whole(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether every page of the database is in its file or in its log. Raises sqlite3.Error or OSError."""
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    # In this order: what another process moves from the log to the file meanwhile is counted there.
    logged = set(_logged_pages(path.with_name(f"{path.name}-wal")))
    return not missing_pages(pages, page_size, path.stat().st_size, logged)


def missing_pages(pages: int, page_size: int, file_size: int, logged: AbstractSet[int]) -> AbstractSet[int]:
    """The numbers of the pages that are in neither the file nor the log."""
    return set(range(file_size // page_size + 1, pages + 1)) - logged - {_LOCK_BYTE // page_size + 1}


def _logged_pages(log: Path) -> Iterator[int]:
    """The numbers of the pages in a write-ahead log."""
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return
    if len(content) < _HEADER.size:
        return
    page_size, salts = _HEADER.unpack_from(content)
    for start in range(_HEADER.size, len(content) - _FRAME.size - page_size + 1, _FRAME.size + page_size):
        number, these = _FRAME.unpack_from(content, start)
        # Frames with other salts are left from an earlier log in the same file.
        if these != salts:
            return
        yield number
