"""A data directory with a CA, a ledger and users, for tests of what is done to it as a whole; and backups of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from nestor.access.users import User, add_user
from nestor.app.authority import Source, make_ca
from nestor.app.backup import Wish, gather
from nestor.backup.manifest import Manifest
from nestor.ledger.opening import open_ledger
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry
from nestor.settings import judge
from support.asking import cheap_hash
from support.entries import an_entry
from support.issuing import HandClock

HOUR = timedelta(hours=1)


@dataclass
class Site:
    """One place: its data directory, its configuration, its clock."""

    place: Path
    document: dict[str, Any] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def source(self) -> Source:
        return Source(judge(self.document), self.data, self.clock, lambda _: None)

    def user(self, name: str, **rules: Any) -> None:
        add_user(self.data / "users.json", User(name, cheap_hash("0815"), **rules))

    async def record(self, *devices: str, **fields: Any) -> list[Entry]:
        """Entries that the ledger learns now."""
        times = {"issued_at": self.clock.now(), "not_before": self.clock.now()}
        async with opened(self) as ledger:
            entries = [an_entry(device, **{**times, **fields}) for device in devices]
            return [await ledger.record(entry, replay=None, one_time=None) for entry in entries]

    async def revoke(self, entry: Entry, reason: str = "stolen") -> None:
        async with opened(self) as ledger:
            await ledger.revoke(entry.sha256, reason, self.clock.now())

    async def knows(self, *entries: Entry) -> list[str | None]:
        """What the ledger says of entries: their states, None for strangers."""
        async with opened(self) as ledger:
            found = [await ledger.find(entry.sha256) for entry in entries]
        return [None if entry is None else entry.state.value for entry in found]

    def backup(self, configuration: Path | None = None, *, with_key: bool = False) -> tuple[Manifest, bytes]:
        """A backup, before it is sealed."""
        return gather(Wish(self.source, configuration, self.place / "b.age", with_key))

    def held(self) -> dict[str, bytes]:
        """Every file of the data directory, but for what only shows that somebody looked."""
        files = {path.relative_to(self.data): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        passing = {"nestor.lock", "ledger.db-wal", "ledger.db-shm"}
        return {str(path): content for path, content in files.items() if path.name not in passing}


@asynccontextmanager
async def opened(site: Site) -> AsyncIterator[SQLiteLedger]:
    """The ledger of a site, while a test needs it."""
    ledger = open_ledger(site.source.settings.ledger, site.data, create=False, clock=site.clock)
    try:
        yield ledger
    finally:
        await ledger.close()


async def site(place: Path, document: dict[str, Any] | None = None) -> Site:
    """A site that has issued two certificates and knows a user."""
    made = Site(place, document or {})
    issuer = make_ca(made.source)
    async with opened(made) as ledger:
        await ledger.pin_authority(issuer.fingerprint)
    made.user("line1")
    await made.record("dev-1", "dev-2")
    return made
