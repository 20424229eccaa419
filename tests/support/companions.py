"""A module beside a server, without the SDK: its reporter, its telemetry and its methods, at a hub in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nestor.app.methods.desk import Methods
from nestor.app.reporting import Reporter
from nestor.app.server import Server
from nestor.app.telemetry import Telemetry
from nestor.cloud import LinkState, MethodAnswer
from support.hubs import MemoryHub
from support.stages import Stage

_PATIENCE = 10.0


@dataclass
class Module:
    """The module's side of the hub, as little of it as tests of reports and methods need."""

    stage: Stage
    server: Server
    hub: MemoryHub
    reporter: Reporter
    telemetry: Telemetry
    methods: Methods

    async def desired(self, document: Mapping[str, Any], version: int) -> None:
        """Nothing is wished here."""

    async def reported(self, document: Mapping[str, Any]) -> None:
        """What the hub holds."""
        await self.reporter.hold(document)

    async def invoke(self, method: str, payload: object) -> MethodAnswer:
        """Answer a direct method."""
        return await self.methods.invoke(method, payload)

    def link_changed(self, state: LinkState) -> None:
        """Hear how the link is."""
        self.reporter.link_changed(state)


@asynccontextmanager
async def module(data: Path, document: dict[str, Any] | None = None) -> AsyncIterator[Module]:
    """A server on a stage with everything beside it, not connected yet."""
    stage, hub = Stage(data), MemoryHub()
    stage.document = document or {}
    reporter = Reporter(hub, stage.clock)
    telemetry = Telemetry(hub, stage.clock, "/devices/gw3/modules/nestor")
    stage.plan = replace(stage.plan, sinks=[*stage.plan.sinks, reporter, telemetry])
    server = await stage.start()
    beside = Module(stage, server, hub, reporter, telemetry, Methods(server, lambda: reporter.status(server)))
    try:
        async with accompanied(server, reporter.run, telemetry.run):
            yield beside
    finally:
        await stage.close()


@asynccontextmanager
async def accompanied(server: Server, *companions: Callable[[Server], Awaitable[None]]) -> AsyncIterator[None]:
    """Companions of a server, as long as the block lasts."""
    working = [asyncio.ensure_future(companion(server)) for companion in companions]
    try:
        yield
    finally:
        for work in working:
            work.cancel()
        ended = await asyncio.gather(*working, return_exceptions=True)
        assert [end for end in ended if not isinstance(end, asyncio.CancelledError)] == []


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(_PATIENCE):
        while not holds():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)
