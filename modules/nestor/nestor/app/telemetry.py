"""Tells the cloud of every certificate issued, refused or revoked, in batches on the output `events`, where told to.

What nobody takes waits in bounded number, the newest; how many were given up is told when somebody takes them again.
Nobody who enrolls ever waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from nestor.app.server import Server
from nestor.cloud import Message
from nestor.errors import Unavailable
from nestor.events import Event, LinkChanged, SettingsApplied
from nestor.ops.cloudevents import MEDIA_TYPE, batch, cloud_event, dropped_event, encoded
from nestor.ops.damper import Damper
from nestor.ports import Clock, Hub

OUTPUT = "events"
"""The output of the module; a route of edgeHub takes it from there."""

WAITING = 1000
"""How many events wait while nobody takes them."""

_GATHERING = 2.0
"""Seconds in which what happens goes out in one message."""

_PATIENCE = 15.0
"""Seconds before what nobody took is offered again, unless edgeHub is back before."""

_EVENTS = 100
_BYTES = 190_000
"""Of one message; edgeHub takes 256 KB."""


class Telemetry:
    """Hears events as a Sink, and sends them as long as `run` runs. `source` says which module this is."""

    def __init__(self, hub: Hub, clock: Clock, source: str) -> None:
        self._hub = hub
        self._clock = clock
        self._source = source
        self._server: Server | None = None
        self._waiting: deque[bytes] = deque()
        self._dropped = 0
        self._wake, self._back = asyncio.Event(), asyncio.Event()
        self._damper = Damper(self._hear, clock.monotonic)

    @property
    def dropped(self) -> int:
        """How many events were given up and not yet told of."""
        return self._dropped

    def __call__(self, event: Event) -> None:
        """Hear one event; of strangers only so many a minute."""
        if isinstance(event, LinkChanged) and event.state.connected:
            self._back.set()
        elif self._is_wanted:
            self._damper(event)
        elif isinstance(event, SettingsApplied):
            self._forget()

    async def run(self, server: Server) -> None:
        """Send until cancelled: a companion of the server."""
        self._server = server
        while True:
            await self._wake.wait()
            await asyncio.sleep(_GATHERING)
            self._wake.clear()
            while self._waiting and await self._send():
                pass
            if self._waiting:
                await self._rest()
                self._wake.set()

    async def _rest(self) -> None:
        self._back.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._back.wait(), _PATIENCE)

    @property
    def _is_wanted(self) -> bool:
        """Whether the settings in force ask for it."""
        return self._server is not None and self._server.house.settings.reporting.telemetry

    def _hear(self, event: Event) -> None:
        told = cloud_event(event, self._source)
        if told is None:
            return
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(encoded(told))
        self._wake.set()

    def _forget(self) -> None:
        """Telemetry was switched off: what waits is not wanted any more."""
        self._waiting.clear()
        self._dropped = 0

    async def _send(self) -> bool:
        """Offer the oldest of what waits as one message; whether it was taken.

        It is set aside meanwhile, so that what is dropped for newer events is never half of a message.
        """
        events, dropped = self._oldest(), self._dropped
        notice = [encoded(dropped_event(dropped, self._source, self._clock.now()))] if dropped else []
        self._dropped = 0
        try:
            await self._hub.send(Message(OUTPUT, batch([*notice, *events]), MEDIA_TYPE))
        except Unavailable:
            self._put_back(events)
            self._dropped += dropped
            return False
        return True

    def _oldest(self) -> Sequence[bytes]:
        """Take as many as one message holds."""
        taken: list[bytes] = []
        room = _BYTES
        while self._waiting and len(taken) < _EVENTS and (room := room - len(self._waiting[0]) - 1) >= 0:
            taken.append(self._waiting.popleft())
        return taken

    def _put_back(self, events: Sequence[bytes]) -> None:
        """Let them wait again, as far as newer ones left room."""
        room = max(0, WAITING - len(self._waiting))
        kept = events[len(events) - room :] if room < len(events) else events
        self._dropped += len(events) - len(kept)
        self._waiting.extendleft(reversed(kept))
