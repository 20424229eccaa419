"""The IoT Edge module beside the server: desired properties in, reports and messages out, methods answered.

It only joins what does the work: the link to edgeHub, the wishes of the twin, the reporter, the telemetry, the methods.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from nestor.app.methods.desk import Methods
from nestor.app.reporting import Reporter
from nestor.app.server import Server
from nestor.app.telemetry import Telemetry
from nestor.app.twin.host import Host
from nestor.app.twin.wishes import Outcome, Wishes
from nestor.cloud import LinkState, MethodAnswer
from nestor.edge.identity import EdgeIdentity
from nestor.edge.link import Link
from nestor.events import Event, LinkChanged
from nestor.ports import Clock, Sink
from nestor.twin.model import MODEL_ID


class Module:
    """One module of one device. `sinks` want to hear every event; `module` is a companion of the server."""

    def __init__(self, identity: EdgeIdentity, host: Host, clock: Clock, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._link = Link(identity, product=MODEL_ID, clock=clock, tell=tell)
        self._reporter = Reporter(self._link, clock)
        self._telemetry = Telemetry(self._link, clock, f"/devices/{identity.device}/modules/{identity.module}")
        self.wishes = Wishes(host, tell, self._heard)

    @property
    def sinks(self) -> Sequence[Sink]:
        """Those of its parts that listen to events."""
        return self._reporter, self._telemetry

    async def module(self, server: Server) -> None:
        """Live beside a server, until cancelled."""
        methods = Methods(server, partial(self._reporter.status, server))
        side = _Side(self.wishes, self._reporter, methods, server, self._tell)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self.wishes.live(server), name="wishes")
            parts.create_task(self._reporter.run(server), name="reporter")
            parts.create_task(self._telemetry.run(server), name="telemetry")
            parts.create_task(self._link.run(side), name="link")

    def _heard(self, outcome: Outcome) -> None:
        self._reporter.acknowledge(outcome.acknowledgements, refused=bool(outcome.refusal))


@dataclass(frozen=True, slots=True)
class _Side:
    """What edgeHub hands over, and who takes it (port `ModuleSide`)."""

    wishes: Wishes
    reporter: Reporter
    methods: Methods
    server: Server
    tell: Callable[[Event], None]

    async def desired(self, document: Mapping[str, Any], version: int) -> None:
        """Hear the whole desired document."""
        await self.wishes.desired(document, version)

    async def reported(self, document: Mapping[str, Any]) -> None:
        """Hear what the hub holds: also which CA this module had, should its data directory be lost (design D19)."""
        await self.reporter.hold(document)
        if self.reporter.authority_held is not None:
            self.server.remember_authority(self.reporter.authority_held)

    async def invoke(self, method: str, payload: object) -> MethodAnswer:
        """Answer a direct method."""
        return await self.methods.invoke(method, payload)

    def link_changed(self, state: LinkState) -> None:
        """Hear that edgeHub is reached, or is not any more."""
        self.tell(LinkChanged(state))
        self.reporter.link_changed(state)
