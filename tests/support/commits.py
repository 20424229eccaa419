"""How often a ledger was committed: counted in its write-ahead log, with nothing of Nestor between."""

import struct
from pathlib import Path


def commits(ledger: Path) -> int:
    """The number of commits in the log: frames that tell the size of the database after them (SQLite's format, 4.2)."""
    log = ledger.with_name(f"{ledger.name}-wal").read_bytes()
    (page_size,) = struct.unpack_from(">8xI", log)
    starts = range(32, len(log) - page_size, 24 + page_size)
    return sum(log[start + 8 : start + 16] == log[16:24] and log[start + 4 : start + 8] != bytes(4) for start in starts)
