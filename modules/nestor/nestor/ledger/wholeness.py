"""Whether a ledger's file is as long as it must be: a file whose end is cut off can look shorter, but in order.

SQLite notices a file that lost whole pages while it was closed, but not half a page, nor anything under a write-ahead
log. Only the log is read here, never the file itself: closing that would drop the locks of this process on it.
"""

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct(">8xI4x8s8x")
"""Of a write-ahead log: page size, salts (SQLite's file format, 4.1)."""

_FRAME = struct.Struct(">I4x8s8x")
"""Before each page in it: page number, salts (4.2)."""


def is_whole(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether every page of the database is in its file or in its log. Raises sqlite3.Error or OSError."""
    (page_size,), (pages,), (unused,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
    )
    # In this order: what another process moves from the log to the file meanwhile is counted there.
    logged = set(_logged_pages(path.with_name(f"{path.name}-wal")))
    in_file = path.stat().st_size // page_size
    missing = set(range(in_file + 1, pages + 1)) - logged
    # Pages that were taken and given back before they were ever written are in neither, until the log is folded in.
    return len(missing) <= (unused if logged else 0)


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
        # Frames with other salts are of an earlier log in the same file.
        if these != salts:
            return
        yield number
