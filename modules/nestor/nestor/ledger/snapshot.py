"""A copy of the ledger as it is at one moment, taken while others write into it, and what it holds in short.

SQLite's online backup runs within one reading transaction: what was committed before is in the copy, what comes later
is not, and nobody waits for it.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from nestor.errors import CannotIssue, MaterialError
from nestor.ledger import statements
from nestor.ledger.connection import cannot_issue, connect
from nestor.ledger.opening import FILE
from nestor.ledger.rows import moment
from nestor.ledger.sqlite import AUTHORITY

_SHORT = "SELECT count(*), max(issued_at), sum(state = 'revoked') FROM certificates"
_LAST = "SELECT serial FROM certificates ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a copy holds: how much, the row that was written last, and the CA that it belongs to (its fingerprint)."""

    certificates: int
    revoked: int
    newest_serial: int | None
    newest_at: datetime | None
    authority: str | None


def take_snapshot(data: Path, copy: Path) -> Snapshot:
    """Copy the ledger of a data directory into a new file. Raises MaterialError where that cannot be done."""
    place = data / FILE
    try:
        copy.touch(mode=0o600, exist_ok=False)
        with closing(connect(place, writable=False)) as source:
            source.execute("BEGIN")
            # Locks are of no use on a copy that nobody else knows, and not every disk for backups has them.
            with closing(sqlite3.connect(f"{_uri(copy)}?mode=rw&nolock=1", uri=True)) as target:
                taken = _in_short(source)
                source.backup(target)
            source.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as error:
        raise _not_copied(place, cannot_issue(error)) from error
    return taken


def check_whole(path: Path) -> None:
    """Read a ledger from end to end. Raises MaterialError where anything in it does not hold."""
    try:
        with closing(connect(path, writable=False)) as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise _not_copied(path, cannot_issue(error)) from error
    if answer != "ok":
        raise MaterialError(f"The ledger {path} is damaged.", "Take an older backup.")


def authority_of(path: Path) -> str | None:
    """The CA that a ledger belongs to, read without touching anything beside it; None where that cannot be told.

    SQLite would tidy up a write-ahead log, which may be all that is left of what was written last.
    """
    try:
        with closing(sqlite3.connect(f"{_uri(path)}?mode=ro&immutable=1", uri=True)) as connection:
            found = connection.execute(statements.FACT, {"name": AUTHORITY}).fetchone()
    except sqlite3.Error:
        return None
    return str(found[0]) if found else None


def _uri(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}"


def _in_short(connection: sqlite3.Connection) -> Snapshot:
    number, newest_at, revoked = connection.execute(_SHORT).fetchone()
    last = connection.execute(_LAST).fetchone()
    authority = connection.execute(statements.FACT, {"name": AUTHORITY}).fetchone()
    return Snapshot(
        certificates=number,
        revoked=revoked or 0,
        newest_serial=int.from_bytes(last[0], "big") if last else None,
        newest_at=None if newest_at is None else moment(newest_at),
        authority=str(authority[0]) if authority else None,
    )


def _not_copied(path: Path, trouble: CannotIssue) -> MaterialError:
    return MaterialError(f"{trouble.sentence.removesuffix('.')}: {path}.", trouble.hint)
