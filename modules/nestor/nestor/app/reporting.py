"""Keeps the reported properties true: what this Nestor is, from its ledger, and what became of desired properties.

The hub holds a document; this side knows what it holds from each reading of the twin and each patch that was taken, and
sends only what differs. Statistics go out once in an interval, acknowledgements within a second; while edgeHub is away
nothing is lost, because nothing is queued: the next patch leads from what is held to what is so by then.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nestor.app.server import Server
from nestor.app.status import Circumstances, LastRefusedSettings, Status, issuance_of, read_statistics, status_of
from nestor.cloud import LinkState
from nestor.document import merge
from nestor.errors import NestorError, Unavailable
from nestor.events import Event, SettingsApplied, SettingsRefused, UpstreamChanged
from nestor.ports import Clock, Hub
from nestor.twin.patching import difference, doubtful, portions
from nestor.twin.reported import reported

_GATHERING = 0.3
"""Seconds in which what happens together goes out together."""

_PATIENCE = 10.0
"""Seconds before a report that nobody took is tried again, unless edgeHub comes back before."""

_EASE = 20
"""Reading the statistics may take such a part of the time at most, however large the ledger and short the interval."""

_PORTION = 16 * 1024
_CA, _ISSUANCE = "caStatus", "issuance"


class Reporter:
    """Reports to the cloud, as long as `run` runs. Hears of refused settings as a Sink."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._started_at = clock.now()
        self._wake = asyncio.Event()
        self._held: dict[str, Any] | None = None
        self._acknowledgements: Mapping[str, Any] = {}
        self._refused: LastRefusedSettings | None = None
        self._issuance: Mapping[str, Any] = {}
        self._counted: tuple[float, float] | None = None
        self._untaken = False

    def __call__(self, event: Event) -> None:
        """Hear of settings that were applied or refused, and of the server above."""
        match event:
            case SettingsRefused(sentence):
                self._refused = LastRefusedSettings(at=self._clock.now(), sentence=sentence)
            case SettingsApplied():
                self._refused = None
            case UpstreamChanged():
                pass
            case _:
                return
        self._wake.set()

    def acknowledge(self, acknowledgements: Mapping[str, Any], *, refused: bool = False) -> None:
        """Take what became of each desired property, whole: `{value, ac, av, ad}` by its name.

        What is in force already is taken without being applied again: then too, nothing is refused any more.
        """
        self._acknowledgements = dict(acknowledgements)
        if not refused:
            self._refused = None
        self._wake.set()

    async def hold(self, document: Mapping[str, Any]) -> None:
        """Hear what the hub holds: the reported document, after each reading of the twin."""
        self._held = dict(document)
        self._wake.set()

    def link_changed(self, state: LinkState) -> None:
        """Hear that edgeHub is reached, or is not any more."""
        if state.connected:
            self._wake.set()

    @property
    def authority_held(self) -> str | None:
        """The fingerprint of the CA that the hub knows this module by; None where it knows none, or was not read yet.

        Where the data directory has no trace of a CA, this says that there once was one.
        """
        fingerprint = _section(self._held, _CA).get("fingerprint")
        return fingerprint if isinstance(fingerprint, str) else None

    async def status(self, server: Server) -> Status:
        """The status at this moment; without figures where the ledger cannot be read, and health says why."""
        statistics = None
        with suppress(NestorError):
            statistics = await read_statistics(server)
        return status_of(server, self._circumstances(), statistics)

    async def run(self, server: Server) -> None:
        """Report until cancelled: a companion of the server."""
        self._counted = None
        while True:
            self._wake.clear()
            if self._is_heard:
                await self._report(server)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._patience(server))
            await asyncio.sleep(_GATHERING)

    @property
    def _is_heard(self) -> bool:
        """Whether it is known what the hub holds, and somebody takes patches."""
        return self._held is not None and self._hub.link.connected

    async def _report(self, server: Server) -> None:
        """Send what is not told yet, at once; figures when they are due."""
        if self._counted:
            await self._send(server)
        if self._until_count(server) <= 0:
            await self._count(server)
            await self._send(server)

    async def _count(self, server: Server) -> None:
        """Read the figures; while the ledger cannot be read, those of before stay, and health says why."""
        began = self._clock.monotonic()
        with suppress(NestorError):
            statistics = await read_statistics(server)
            if statistics is not None:
                self._issuance = issuance_of(statistics).document()
        self._counted = began, (self._clock.monotonic() - began) * _EASE

    async def _send(self, server: Server) -> None:
        """Lead the hub from what it holds to what is so; where nobody takes it, doubt what was on its way."""
        for part in portions(difference(self._held or {}, self._document(server)), _PORTION):
            try:
                await self._hub.report(part)
            except Unavailable:
                self._held = doubtful(self._held or {}, part)
                self._untaken = True
                return
            self._held = merge(self._held or {}, part)
        self._untaken = False

    def _document(self, server: Server) -> Mapping[str, Any]:
        """What the hub is to hold. What only it still knows, it keeps: figures, and which CA there was."""
        status = {**status_of(server, self._circumstances(), None).document()}
        if figures := self._issuance or _section(self._held, _ISSUANCE):
            status[_ISSUANCE] = figures
        if self.authority_held is not None:
            status[_CA] = {"fingerprint": self.authority_held, **status[_CA]}
        return reported(self._acknowledgements, status)

    def _circumstances(self) -> Circumstances:
        return Circumstances(self._started_at, self._hub.link, self._refused)

    def _until_count(self, server: Server) -> float:
        """Seconds until the figures are due."""
        if self._counted is None:
            return 0.0
        at, ease = self._counted
        interval = server.house.settings.reporting.interval.total_seconds()
        return at + max(interval, ease) - self._clock.monotonic()

    def _patience(self, server: Server) -> float | None:
        """Seconds until there is something to do that nobody will tell of."""
        if not self._is_heard:
            return None
        due = max(0.0, self._until_count(server))
        return min(due, _PATIENCE) if self._untaken else due


def _section(document: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (document or {}).get(name)
    return found if isinstance(found, Mapping) else {}
