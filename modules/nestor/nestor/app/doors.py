"""The TCP ports of a server, and what is behind each: EST, and the routes of the API proxy, on one port or on two."""

import asyncio
from dataclasses import dataclass

from nestor.app.server import Server
from nestor.errors import CannotIssue, NestorError, Unavailable
from nestor.events import HandshakeFailed
from nestor.model import Combination, Credentials, Label
from nestor.ports import Sink
from nestor.proxy.passthrough import Passthrough
from nestor.proxy.proxy import Proxy
from nestor.settings import Settings
from nestor.web.binding import listen_on
from nestor.web.http import HTTP, Handle
from nestor.web.listener import Listener
from nestor.web.relaying import Relaying
from nestor.web.settings import ListenerSettings
from nestor.web.site import Site

_BY_CERTIFICATE = Label("routes", combination=Combination.CERTIFICATE)


@dataclass(frozen=True, slots=True)
class _Door:
    """A port, and the HTTP behind it."""

    listener: Listener
    http: HTTP


class Doors:
    """Every port of a server that devices come to. How many there are is said at the start."""

    def __init__(self, server: Server, settings: Settings, sink: Sink) -> None:
        self._server = server
        self._settings = settings.listener
        self._sink = sink
        self._proxy = Proxy(server.ground.clock, server.standings, sink)
        shared = settings.proxy.port is None
        self._site = Site(
            lambda: server.house,
            settings.listener.limits,
            sink,
            carries=lambda: shared and bool(server.house.routes.table.routes),
        )
        if shared:
            self._beside = None
            self._est = self._door(settings.listener, self._relaying(self._site.handle))
        else:
            self._est = self._door(settings.listener, self._site.handle)
            self._beside = self._door(
                settings.listener.model_copy(update={"port": settings.proxy.port}), self._relaying(None)
            )
        self._passthrough_port = settings.proxy.passthrough.port
        self._passthrough = Passthrough(
            server.ground.clock, server.standings, sink, lambda: server.house.routes.passthrough
        )

    async def open(self) -> None:
        """Take connections. Raises Unavailable, and then takes none."""
        await self._server.listen(self._est.listener, self._settings)
        try:
            if self._beside is not None:
                await self._beside.listener.start()
            if self._passthrough_port is not None:
                self._passthrough.listen(await listen_on(self._settings.addresses, self._passthrough_port))
        except Unavailable:
            for door in self._doors():
                door.listener.close()
            raise

    def _doors(self) -> list[_Door]:
        return [door for door in (self._est, self._beside) if door is not None]

    async def close(self, seconds: float) -> None:
        """Let what is being served finish, for so many seconds."""
        doors = self._doors()
        await asyncio.gather(self._passthrough.close(seconds), *(door.listener.drain(seconds) for door in doors))
        await asyncio.gather(*(door.http.shutdown(0.5) for door in doors))
        self._proxy.close()

    def _door(self, settings: ListenerSettings, handle: Handle) -> _Door:
        http = HTTP(handle, settings.limits, self._site.broken)
        listener = Listener(
            settings,
            context=lambda: self._server.house.context,
            protocol=http,
            failed=lambda address, sentence: self._sink(HandshakeFailed(address, sentence)),
        )
        return _Door(listener, http)

    def _relaying(self, otherwise: Handle | None) -> Handle:
        server = self._server
        return Relaying(self._proxy, lambda: server.house.routes, Porter(server), self._sink, otherwise).handle


class Porter:
    """Tells what client certificates are worth at this moment (`web.relaying.Judge`)."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def is_good(self, credentials: Credentials) -> bool:
        """Whether one would do for EST: in date, of a known issuer, not revoked. Raises CannotIssue: nobody knows."""
        unknown: CannotIssue | None = None
        for gate in self._server.house.gates:
            try:
                await gate.identify(credentials, _BY_CERTIFICATE)
            except CannotIssue as fault:
                unknown = fault
            except NestorError:
                continue
            else:
                return True
        if unknown is not None:
            raise unknown
        return False

    async def is_forwarder(self, credentials: Credentials) -> bool:
        """Whether it is that of a forwarder that is listed."""
        for gate in self._server.house.gates:
            if await gate.is_forwarder(credentials):
                return True
        return False
