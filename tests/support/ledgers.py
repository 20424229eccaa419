"""Ledgers on disk, opened for one test and closed after it."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from nestor.ledger.sqlite import SQLiteLedger
from support.entries import NOON


class NoonClock:
    """A wall clock that stands, beside a monotonic one that runs."""

    def now(self) -> datetime:
        """Noon."""
        return NOON

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


@asynccontextmanager
async def opened(place: Path, *, create: bool = True, kept_refusals: int = 10_000) -> AsyncIterator[SQLiteLedger]:
    """The ledger of a data directory."""
    settings = LedgerSettings.model_validate({"keptRefusals": kept_refusals})
    ledger = open_ledger(settings, place, create=create, clock=NoonClock())
    try:
        yield ledger
    finally:
        await ledger.close()


def without_issuers(connection: sqlite3.Connection) -> None:
    """Take a ledger back to revision 0005, where a serial number was unique over all issuers."""
    (table,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'certificates'").fetchone()
    older = table.replace("UNIQUE (serial, issuer)", "UNIQUE (serial)").replace("certificates", "older", 1)
    indexes = connection.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'certificates' AND type = 'index'")
    made = [sql for (sql,) in indexes if sql]
    connection.execute(older)
    connection.execute("INSERT INTO older SELECT * FROM certificates")
    connection.execute("DROP TABLE certificates")
    connection.execute("ALTER TABLE older RENAME TO certificates")
    connection.execute("ALTER TABLE certificates DROP COLUMN issuer")
    for sql in made:
        connection.execute(sql)
    connection.execute("UPDATE alembic_version SET version_num = '0005'")
