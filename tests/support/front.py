"""A listener in the loop of a test, with an HTTP handler behind it that behaves as the site does."""

import asyncio
import http.client
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from OpenSSL import SSL

from nestor.web.listener import Listener
from nestor.web.settings import LimitSettings, ListenerSettings
from nestor.web.tls import server_context
from nestor.web.transport import TLSTransport
from support.device import Identity, client_context
from support.pki import CA, authority

Answer = Callable[[web.BaseRequest, TLSTransport], Awaitable[web.Response]]
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Front:
    """A running listener, those it believes, and what it told of failed handshakes."""

    root: CA
    context: SSL.Context
    place: Path
    told: list[tuple[str, str]] = field(default_factory=list)

    async def start(self, http: web.Server, **limits: float) -> None:
        settings = ListenerSettings.model_validate({"port": 0}).model_copy(update={"limits": limits_of(**limits)})
        self.listener = Listener(
            settings, context=lambda: self.context, protocol=http, failed=lambda *words: self.told.append(words)
        )
        await self.listener.start()

    @property
    def port(self) -> int:
        return self.listener.addresses[0][1]

    @property
    def anchor(self) -> Path:
        return self.root.write(self.place)

    def tls(self, identity: Identity | None = None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """How a client speaks that trusts the root."""
        return client_context(self.anchor, identity, version)

    async def connect(self, *who: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as a client of asyncio."""
        return await asyncio.open_connection("localhost", self.port, ssl=self.tls(*who))

    async def get(self, *who: Any) -> str:
        """The body of an answer, on a connection of its own."""
        return await asyncio.to_thread(self._get, *who)

    def _get(self, *who: Any) -> str:
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls(*who), timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    async def settled(self, connections: int, within: float = 5.0) -> None:
        """Wait until so many connections are open."""
        async with asyncio.timeout(within):
            while self.listener.connections != connections:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)


@asynccontextmanager
async def front(
    answer: Answer | None = None,
    /,
    *,
    root: CA | None = None,
    believed: Sequence[x509.Certificate] | None = None,
    intermediates: Sequence[x509.Certificate] = (),
    handler: Handler | None = None,
    **limits: float,
) -> AsyncIterator[Front]:
    """Serve, with an answer or a handler; limits in seconds, or in connections, replace the usual ones."""
    root = root or authority()
    anchors = [root.certificate] if believed is None else believed
    context = context_of(root, client_anchors=anchors, client_intermediates=intermediates)
    server = web.Server(handler or _like_the_site(answer or greet), access_log=None, lingering_time=0)
    with tempfile.TemporaryDirectory() as place:
        served = Front(root, context, Path(place))
        await served.start(server, **limits)
        try:
            yield served
        finally:
            served.listener.close()
            await server.shutdown(0.1)


def context_of(root: CA, **trust: Any) -> SSL.Context:
    """A context that shows a fresh certificate, and the root."""
    shown = root.issue("localhost", alternative_names=["localhost"], server=True, client=False)
    return server_context(chain=[shown.certificate, root.certificate], key=shown.key, **trust)


def limits_of(**limits: float) -> LimitSettings:
    """Limits that tests have no patience to wait for; the document takes none below a second."""
    usual = LimitSettings.model_validate({})
    counts = {"connections", "connections_per_address", "requests_per_connection"}
    update = {name: value if name in counts else timedelta(seconds=value) for name, value in limits.items()}
    return usual.model_copy(update=update)


async def greet(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
    """Answer with what was said, or a greeting."""
    return web.Response(body=await request.read() or b"hello")


def _like_the_site(answer: Answer) -> Handler:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        assert isinstance(transport, TLSTransport)
        transport.request_started()
        try:
            response = await answer(request, transport)
            if transport.is_ending or not request.content.at_eof():
                response.force_close()
            await response.prepare(request)
            await response.write_eof()
        finally:
            transport.request_finished()
        return response

    return handle
