"""How a ledger is opened: one that never existed is made, one that existed and is lost or damaged is an error.

Never an empty ledger in place of another: whoever was issued a certificate would be a stranger, and whoever was revoked
none. The checks cost the same on any size; damage that they do not meet is met by the question that does.
"""

import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from nestor.disk import sync
from nestor.errors import CannotIssue, MaterialError
from nestor.ledger.connection import cannot_issue, connect, damaged
from nestor.ledger.making import lay_out
from nestor.ledger.reading import Reader
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import read_revocations
from nestor.ledger.schema import REVISION
from nestor.ledger.settings import LedgerSettings
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ledger.transaction import Transaction, commit
from nestor.ledger.writer import Writer
from nestor.model import Entry, State
from nestor.ports import Clock

FILE = "ledger.db"

_CHECKED = 32
"""How many of the newest entries are read in every way when a ledger is opened."""


def open_ledger(settings: LedgerSettings, data_dir: Path, *, create: bool, clock: Clock) -> SQLiteLedger:
    """Open the ledger of a data directory; `create` says that there has never been one.

    Raises MaterialError for a ledger that is lost, damaged, of a newer Nestor, or out of reach.
    """
    path = data_dir / FILE
    try:
        if not path.exists():
            _make(path, create=create)
        elif not path.is_file():
            raise _no_ledger(path)
        with ExitStack() as undo:
            reader = Reader(path)
            undo.callback(reader.close)
            if not reader.is_whole():
                raise damaged()
            _bring_up_to_date(path)
            _check(reader)
            _revoke_again(path, reader)
            writer = Writer(path, settings.kept_refusals, clock)
            undo.pop_all()
        return SQLiteLedger(path, reader, writer)
    except CannotIssue as trouble:
        raise _unusable(path, trouble) from trouble
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, cannot_issue(error)) from error


def make_ledger(data_dir: Path, *, in_place_of_a_lost_one: bool = False) -> None:
    """Make the ledger that goes with a new CA; one that is there stays as it is.

    `in_place_of_a_lost_one` is an operator's word that what was in it is gone for good. Raises MaterialError where one
    was lost and nobody said so, and where none can be made.
    """
    path = data_dir / FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path, create=True, traces=() if in_place_of_a_lost_one else (REVOCATIONS,))
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, cannot_issue(error)) from error


def _unusable(path: Path, trouble: CannotIssue) -> MaterialError:
    return MaterialError(f"{trouble.sentence.removesuffix('.')}: {path}.", trouble.hint)


def _no_ledger(path: Path) -> MaterialError:
    return MaterialError(f"{path} is no ledger of Nestor.", "Restore it from a backup; it is never made anew.")


def _make(path: Path, *, create: bool, traces: Sequence[str] = (REVOCATIONS,)) -> None:
    """Make a new ledger beside its place, and put it there when it is whole.

    A write-ahead log without its ledger may be all that is left of one, and would be poison for another.
    """
    traces = [name for name in (*traces, f"{FILE}-wal") if (path.parent / name).exists()]
    if traces or not create:
        found = f", but {traces[0]} is there" if traces else ""
        raise MaterialError(f"The ledger {path} is gone{found}.", "Restore it from a backup; it is never made anew.")
    with tempfile.TemporaryDirectory(prefix=".ledger-", dir=path.parent) as workshop:
        new = Path(workshop) / FILE
        new.touch(mode=0o600)
        lay_out(new)
        with closing(connect(new, writable=True)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        os.link(new, path)
    sync(path.parent)


def _bring_up_to_date(path: Path) -> None:
    found = _revision(path)
    if found is None:
        raise _no_ledger(path)
    if found > REVISION:
        raise MaterialError(
            f"The ledger {path} was written by a newer Nestor (revision {found}, this one knows {REVISION}).",
            "Run that version again, or restore a backup from before.",
        )
    if found < REVISION:
        _upgrade(path)


def _revision(path: Path) -> str | None:
    with closing(connect(path, writable=False)) as connection:
        known = "SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'"
        if connection.execute(known).fetchone() is None:
            return None
        return str(connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0])


def _upgrade(path: Path) -> None:
    # Alembic is heavy, and a ledger that is up to date needs none of it.
    from nestor.ledger.migrations.upgrade import upgrade  # noqa: PLC0415

    upgrade(path)


def _check(reader: Reader) -> None:
    """Read the newest entries by every way that leads to them: what is cut off an end, they lie on it."""
    reader.counters()
    reader.refusals(_CHECKED)
    for entry in reader.newest(_CHECKED):
        reader.live(entry.device, entry.issued_at)
        standing = reader.standing(
            device=entry.device,
            profile=entry.profile,
            spki_sha256=entry.spki_sha256,
            replay_key=b"",
            one_time=None,
            now=entry.issued_at,
        )
        ways = ([reader.find(entry.sha256)], reader.of_serial(entry.serial))
        if not standing.key_used or any(entry not in found for found in ways):
            raise damaged()


def _revoke_again(path: Path, reader: Reader) -> None:
    """Revoke what the file of revocations says and the ledger has forgotten, as after a restore."""
    forgotten = [line for line in read_revocations(path.parent / REVOCATIONS) if _counts(reader.find(line.sha256))]
    if not forgotten:
        return
    with closing(connect(path, writable=True)) as connection:
        commit(connection, [partial(Transaction.revoke, line=line) for line in forgotten])


def _counts(entry: Entry | None) -> bool:
    return entry is not None and entry.state is not State.REVOKED
