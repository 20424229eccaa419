"""Revocations of a running server, its own and those of commands beside it: all are heard of by one file.

Every revocation is a line of `revocations.log` before it is in force, whoever revokes. The server looks at that file
now and then, and at once after a revocation of its own, and tells of each new line. What was revoked while no server
ran is told to nobody; the ledger counts it.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nestor.errors import NestorError
from nestor.events import Event, Revoked
from nestor.ledger.revocations import FILE, Revocation, read_revocations
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, State
from nestor.ports import Ledger, Sink

_COMMAND = "command line"


class Revocations:
    """What has been told of the file of a data directory: everything that was there when this was made."""

    def __init__(self, data: Path, sink: Sink) -> None:
        self._path = data / FILE
        self._sink = sink
        self._size, self._told = _size(self._path), _lines(self._path)
        self._behind: dict[bytes, str] = {}
        self._looking = asyncio.Lock()

    async def revoke(self, ledger: SQLiteLedger, entry: Entry, reason: str, *, at: datetime, by: str) -> Entry:
        """Revoke a certificate in the name of `by`. Raises CannotIssue; one that is revoked already stays as it is."""
        self._behind[entry.sha256] = by
        try:
            revoked = await ledger.revoke(entry.sha256, reason, at)
            with suppress(NestorError):  # it is revoked all the same, and the next look tells what is wrong
                await self.look(ledger)
        finally:
            self._behind.pop(entry.sha256, None)
        return revoked

    async def look(self, ledger: Ledger) -> None:
        """Tell of the lines that are new. Raises MaterialError for a line that does not hold, CannotIssue."""
        async with self._looking:
            size = _size(self._path)
            if size == self._size:
                return
            lines = await asyncio.to_thread(lambda: list(read_revocations(self._path)))
            new, self._size, self._told = lines[self._told :], size, len(lines)
            for line in new:
                await self._tell(ledger, line)

    async def _tell(self, ledger: Ledger, line: Revocation) -> None:
        """Tell of one line, unless it is about a certificate that this ledger never had."""
        entry = await ledger.find(line.sha256)
        if entry is not None:
            revoked = replace(entry, state=State.REVOKED, revoked_at=line.at, revocation_reason=line.reason)
            event: Event = Revoked(revoked, self._behind.get(line.sha256, _COMMAND))
            self._sink(event)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _lines(path: Path) -> int:
    """How many finished lines the file has, whatever they hold."""
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0
