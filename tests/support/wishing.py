"""A module in the loop of a test, its server real but without a port: what its twin wishes, and what becomes of it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from nestor.app.server import Server, start
from nestor.app.twin.host import Host
from nestor.app.twin.wishes import Outcome, Wishes
from nestor.events import Event
from nestor.twin.kept import Origin
from support.stages import Stage

ORIGIN = Origin("plant.azure-devices.net", "gw3", "nestor", "637000000000000000")
BASE = {"listener": {"port": 0}}


class Module:
    """One run of a module: from its start, over wishes, to its stop.

    `said` is the host's own document, `over` what options say.
    """

    def __init__(
        self,
        data: Path,
        said: Mapping[str, Any] | None = None,
        *,
        origin: Origin = ORIGIN,
        pause: float = 0.0,
        retry: float = 30.0,
        over: Mapping[str, Any] | None = None,
    ) -> None:
        self.said: dict[str, Any] = dict(said or {})
        self.outcomes: list[Outcome] = []
        self._stage = Stage(data)
        self._arrived = asyncio.Event()
        host = Host(data, origin, BASE, lambda: self.said, over or {})
        self.wishes = Wishes(host, self._stage.told.append, self._hear, pause=pause, retry=retry)
        self.plan = replace(
            self._stage.plan,
            settings=self.wishes.settings,
            waiting=self.wishes.waiting,
            fallback=self.wishes.fallback,
        )
        self.version = 0
        self._server: Server | None = None
        self._living: asyncio.Future[None] | None = None

    @property
    def told(self) -> list[Event]:
        return self._stage.told

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    async def start(self) -> Server:
        self._server = await start(self.plan)
        self._living = asyncio.ensure_future(self.wishes.live(self._server))
        return self._server

    async def stop(self) -> None:
        if self._living is not None:
            self._living.cancel()
            with suppress(asyncio.CancelledError):
                await self._living
        if self._server is not None:
            await self._server.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wish(self, document: Mapping[str, Any], version: int | None = None) -> Outcome:
        """Let the hub say this, and wait for what becomes of it; it has to be something new."""
        self.version = self.version + 1 if version is None else version
        self._arrived.clear()
        await self.wishes.desired(document, self.version)
        return await self.outcome()

    async def outcome(self) -> Outcome:
        """Wait for the next outcome."""
        async with asyncio.timeout(10):
            await self._arrived.wait()
        self._arrived.clear()
        return self.outcomes[-1]

    def _hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._arrived.set()


def codes(outcome: Outcome) -> dict[str, int]:
    """The code of every acknowledgement."""
    return {key: told["ac"] for key, told in outcome.acknowledgements.items()}
