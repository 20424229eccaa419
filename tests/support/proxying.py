"""A proxy in the loop of a test: routes on a port of ours, real TLS below and above."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nestor.app.clock import SystemClock
from nestor.errors import NestorError
from nestor.events import Carried, Event
from nestor.model import Credentials
from nestor.proxy.caller import Route
from nestor.proxy.dialing import Target
from nestor.proxy.proxy import Proxy, Routes
from nestor.proxy.routing import Pattern, Table
from nestor.proxy.settings import ProxyLimits
from nestor.proxy.standing import Standing, Standings
from nestor.proxy.token import Token
from nestor.upstream.trust import Trust, verifying_context
from nestor.web.http import HTTP
from nestor.web.relaying import Relaying
from nestor.web.settings import LimitSettings
from support import pki
from support.backends import Backend
from support.device import Identity, client_context
from support.front import Front, context_of

EST = ("/.well-known/est", "/layers", "/healthz", "/readyz")


@dataclass
class Proxied:
    """A running proxy, and what it told."""

    front: Front
    standings: Standings
    events: list[Event] = field(default_factory=list)
    verified: list[Credentials] = field(default_factory=list)
    good: bool | NestorError = True
    forwarders: tuple[Identity, ...] = ()

    async def is_good(self, credentials: Credentials) -> bool:
        """The verdict over every client certificate (`web.relaying.Judge`)."""
        self.verified.append(credentials)
        if isinstance(self.good, NestorError):
            raise self.good
        return self.good

    async def is_forwarder(self, credentials: Credentials) -> bool:
        return credentials.certificate in [one.certificate for one in self.forwarders]

    @property
    def port(self) -> int:
        return self.front.port

    def standing(self, name: str = "all") -> Standing:
        return self.standings.of(name)

    @property
    def carried(self) -> list[Carried]:
        return [event for event in self.events if isinstance(event, Carried)]

    async def ask(self, *parts: bytes, identity: Identity | None = None) -> bytes:
        """Say bytes on a connection of its own, and hear everything up to its end."""
        reader, writer = await self.connect(identity)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.transport.abort()

    async def connect(self, identity: Identity | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "localhost", self.port, ssl=client_context(self.front.anchor, identity), server_hostname="localhost"
        )


def limits_of(**limits: float) -> ProxyLimits:
    """Limits that tests have the patience for: seconds, or numbers."""
    usual = ProxyLimits.model_validate({})
    update = {
        name: value if name.startswith("requests") else timedelta(seconds=value) for name, value in limits.items()
    }
    return usual.model_copy(update=update)


def route_to(behind: Backend, name: str = "all", path: str = "/", **more: Any) -> Route:
    """A route to a backend."""
    keys = {key: more.pop(key) for key in ("header", "value", "methods") if key in more}
    context = more.pop("context", None) or verifying_context(Trust((behind.root.certificate,)))

    async def same() -> ssl.SSLContext:
        return context

    host = more.pop("host", "localhost")
    target = Target(host, behind.port, more.pop("server_name", "localhost"), same, more.pop("through", None))
    return Route(name, Pattern(path, **keys), target, **more)


@asynccontextmanager
async def proxied(
    *routes: Route,
    token: Token | None = None,
    limits: ProxyLimits | None = None,
    good: bool = True,
    forwarders: tuple[Identity, ...] = (),
    root: pki.CA | None = None,
    below: LimitSettings | None = None,
) -> AsyncIterator[Proxied]:
    """Carry by these routes; `good` is the verdict over every client certificate."""
    import tempfile
    from pathlib import Path

    root = root or pki.authority()
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as place:
        shown = Front(root, context_of(root, client_anchors=[root.certificate]), Path(place))
        made = Proxied(shown, Standings(clock.now), good=good, forwarders=forwarders)
        proxy = Proxy(clock, made.standings, made.events.append)
        table = Routes(Table(routes, EST), limits or limits_of(), token)
        relaying = Relaying(proxy, lambda: table, made, made.events.append)
        http = HTTP(relaying.handle, below or LimitSettings.model_validate({}), lambda *told: None)
        await shown.start(http)
        try:
            yield made
        finally:
            shown.listener.close()
            await http.shutdown(0.1)
            proxy.close()
