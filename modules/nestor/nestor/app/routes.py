"""Routes of the API proxy as they stand in force: from what the document says, and what this device is."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

from nestor.app.edge_host import EdgeHost
from nestor.app.trial_routes import DIRECT, HTTP_PROXY, RESERVED
from nestor.document import Reference
from nestor.errors import SettingsError, Unavailable
from nestor.ports import Clock, Runtime
from nestor.proxy.caller import Route
from nestor.proxy.destination import Destination, Whose, read_address, read_destination, read_place
from nestor.proxy.dialing import Target, Through
from nestor.proxy.passthrough import Way
from nestor.proxy.preset import is_of_preset, routes_of
from nestor.proxy.proxy import Routes
from nestor.proxy.routing import Pattern, Table
from nestor.proxy.settings import ProxySettings, RouteSettings
from nestor.proxy.token import Token
from nestor.settings import Settings
from nestor.upstream.trust import ClientCertificate, Trust, read_anchors, verifying_context

_BUNDLE_SECONDS = 60.0
_PATIENCE = 3.0

Context = Callable[[], Awaitable[ssl.SSLContext]]


def build_routes(settings: Settings, data: Path, edge: EdgeHost | None, clock: Clock) -> Routes:
    """The routes. Raises SettingsError for what leads nowhere, MaterialError for files that cannot be used."""
    builder = _Builder(settings.proxy, data, edge, clock)
    routes = tuple(builder.routes(settings.routes))
    token = Token(edge.audience, edge.runtime.sign, clock.now) if edge is not None else None
    return Routes(Table(routes, RESERVED), settings.proxy.limits, token, builder.passthrough())


class Bundle:
    """TLS that trusts what the IoT Edge runtime says is to be trusted, read anew every minute while it is needed."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._asking = asyncio.Lock()
        self._read: float | None = None
        self._trust = Trust(())
        self._contexts: dict[ClientCertificate | None, ssl.SSLContext] = {}

    async def context(self, credential: ClientCertificate | None) -> ssl.SSLContext:
        """TLS by the bundle of this moment; by the last one while the runtime does not answer. Raises Unavailable."""
        async with self._asking:
            await self._look()
            if credential not in self._contexts:
                self._contexts[credential] = verifying_context(self._trust, credential)
            return self._contexts[credential]

    async def _look(self) -> None:
        now = self._clock.monotonic()
        if self._read is not None and now < self._read + _BUNDLE_SECONDS:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                trust = Trust(tuple(await self._runtime.trust_bundle()))
        except (Unavailable, TimeoutError) as error:
            if not self._trust.anchors:
                raise Unavailable("The trust bundle of this device is not known yet.") from error
        else:
            if trust != self._trust:
                self._trust, self._contexts = trust, {}
        self._read = now


class _Builder:
    """Builds the routes of one document."""

    def __init__(self, proxy: ProxySettings, data: Path, edge: EdgeHost | None, clock: Clock) -> None:
        self._proxy = proxy
        self._data = data
        self._edge = edge
        self._bundle = Bundle(edge.runtime, clock) if edge is not None else None

    def routes(self, own: Mapping[str, RouteSettings]) -> Iterator[Route]:
        for name, route in routes_of(self._proxy, own).items():
            if not route.to:
                continue
            destination = read_destination(route.to)
            host = self._host(destination)
            if not host and is_of_preset(self._proxy, own, name):
                continue  # at the top there is nobody above, and a preset is for every layer
            yield Route(
                name, pattern_of(route), self._target(name, route, destination, host), route.keep_host, route.identity
            )

    def passthrough(self) -> Way | None:
        """Where TLS is handed on to as it is."""
        settings = self._proxy.passthrough
        if not settings.to:
            return None
        host, port = read_place(settings.to)
        return Way(host, port, settings, self._through(host))

    def _host(self, destination: Destination) -> str:
        match destination.whose:
            case Whose.FIXED:
                return destination.host
            case Whose.PARENT:
                return self._proxy.parent or (self._edge.parent if self._edge else "")
            case Whose.EDGE_HUB:
                return self._edge.name if self._edge else ""

    def _target(self, name: str, route: RouteSettings, destination: Destination, host: str) -> Target:
        if not host:
            raise SettingsError(f"routes.{name}.to: there is no {route.to} here.", remedy_for(destination.whose))
        through = None if destination.whose is Whose.EDGE_HUB else self._through(host)
        return Target(host, destination.port, route.server_name or host, self._context(route), through)

    def _context(self, route: RouteSettings) -> Context:
        credential = None
        if route.certificate is not None and route.key is not None:
            credential = ClientCertificate(route.certificate.path(self._data), route.key.path(self._data))
        if route.anchors is None and self._bundle is not None:
            bundle = self._bundle
            if credential is not None:
                verifying_context(Trust(), credential)  # so that files that cannot be used are found now
            return lambda: bundle.context(credential)
        anchors = Trust() if route.anchors is None else read_anchors(route.anchors.path(self._data))
        context = verifying_context(anchors, credential)

        async def same() -> ssl.SSLContext:
            return context

        return same

    def _through(self, host: str) -> Through | None:
        """The HTTP proxy on the way to a host."""
        if self._proxy.through == DIRECT:
            return None
        if self._proxy.through:
            address = read_address(self._proxy.through, "http", HTTP_PROXY)
            return Through(*address, _secret(self._proxy.through_credentials, self._data))
        url = getproxies().get("https", "")
        if not url or proxy_bypass(host):
            return None
        user, at, place = url.rpartition("@")
        where = f"http://{place}" if at else url
        return Through(*read_address(where, "http", HTTP_PROXY), user.partition("://")[2] if at else None)


def remedy_for(whose: Whose) -> str:
    """What to do where only the IoT Edge runtime would know a server, and there is none."""
    if whose is Whose.PARENT:
        return "Set proxy.parent to the host name of the device above, or name the host here: https://HOST:PORT."
    return "The runtime of IoT Edge tells where edgeHub is; elsewhere name the host: https://HOST:PORT."


def pattern_of(route: RouteSettings) -> Pattern:
    """What a route takes."""
    return Pattern(route.path, route.header, route.header_value, frozenset(route.methods))


def _secret(reference: Reference | None, data: Path) -> str | None:
    return None if reference is None else reference.read_text(data)
