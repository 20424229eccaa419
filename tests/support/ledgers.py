"""Ledgers on disk, opened for one test and closed after it."""

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
