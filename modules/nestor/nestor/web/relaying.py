"""HTTP requests that a route takes, handed to the proxy; the others go where they went before.

The proxy writes its answers to the connection itself, as bytes; aiohttp reads requests, and learns here whether its
connection goes on.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from multidict import CIMultiDict, CIMultiDictProxy

from nestor.errors import NestorError, Unauthenticated, UnknownPath
from nestor.events import Trouble, TurnedAway
from nestor.model import Credentials
from nestor.naming import common_name_of, device_id
from nestor.ports import Sink
from nestor.proxy.caller import Asked, Route
from nestor.proxy.headers import whose
from nestor.proxy.proxy import Proxy, Routes
from nestor.proxy.routing import Headers
from nestor.web.credentials import peer_credentials
from nestor.web.http import Handle, Handler
from nestor.web.problems import SERVER, respond_to
from nestor.web.transport import TLSTransport

_HIGH_WATER = 64 * 1024
_SHOWN = 200
_NO_HEADERS = CIMultiDictProxy(CIMultiDict[str]())


class Judge(Protocol):
    """Tells what client certificates are worth at this moment."""

    async def is_good(self, credentials: Credentials) -> bool:
        """Whether one is good here. Raises NestorError where that cannot be known."""

    async def is_forwarder(self, credentials: Credentials) -> bool:
        """Whether whoever holds it speaks for others, a whole layer maybe."""


class Relaying:
    """The handler of the requests of a port that carries routes; `otherwise` answers what no route takes."""

    def __init__(
        self, proxy: Proxy, routes: Callable[[], Routes], judge: Judge, sink: Sink, otherwise: Handle | None = None
    ) -> None:
        self._proxy = proxy
        self._routes = routes
        self._judge = judge
        self._sink = sink
        self._otherwise = otherwise

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        routes = self._routes()
        route = routes.table.find(request.method, request.raw_path, request.raw_headers)
        if route is None and self._otherwise is not None:
            return await self._otherwise(request)
        transport, handler = request.transport, request.protocol
        if not isinstance(transport, TLSTransport) or not isinstance(handler, Handler) or transport.is_closing():
            return web.Response()  # nobody is there to read it
        transport.request_started()
        try:
            with handler.work():
                return await self._answer(request, transport, (route, routes) if route is not None else None)
        except ConnectionError:
            transport.abort()  # what was begun cannot be finished, and whoever reads it has to see that
            return web.Response()
        finally:
            transport.request_finished()

    async def _answer(
        self, request: web.BaseRequest, transport: TLSTransport, way: tuple[Route, Routes] | None
    ) -> web.StreamResponse:
        request_id = secrets.token_hex(6)
        try:
            return await self._carry(request, transport, _known(way, request), request_id)
        except NestorError as fault:
            asked = f"{request.method} {request.raw_path}"[:_SHOWN]
            self._sink(TurnedAway(transport.address, asked, fault.reason, fault.text, request_id))
            response = respond_to(fault, request_id)
        except ConnectionError:
            raise
        except Exception as error:
            self._sink(Trouble("bug", f"{type(error).__name__} while carrying request {request_id}.", error))
            raise ConnectionResetError from error
        response.headers[hdrs.SERVER] = SERVER
        if transport.is_ending or not request.content.at_eof():
            response.force_close()
        await response.prepare(request)
        await response.write_eof()
        return response

    async def _carry(
        self, request: web.BaseRequest, transport: TLSTransport, way: tuple[Route, Routes], request_id: str
    ) -> web.StreamResponse:
        route, routes = way
        client = _Client(request, transport, self._judge)
        await client.introduce()
        asked = Asked(
            request.method,
            request.raw_path,
            request.raw_headers,
            request.version.minor,
            transport.address,
            transport.network,
            last=transport.is_ending or not request.keep_alive,
        )
        goes_on = await self._proxy.carry(asked, route, routes, client, request_id)
        return _Carried(goes_on=goes_on and client.is_complete and not transport.is_ending)


def _known(way: tuple[Route, Routes] | None, request: web.BaseRequest) -> tuple[Route, Routes]:
    if way is None:
        raise no_route(request)
    return way


def no_route(request: web.BaseRequest, hint: str = "") -> UnknownPath:
    """The answer to what no route takes. Behind other servers that carry, it says which one answers."""
    return UnknownPath(f"No route of {whose(request.raw_headers)} takes this request.", hint)


class _Carried(web.StreamResponse):
    """An answer that is on its way already."""

    def __init__(self, *, goes_on: bool) -> None:
        super().__init__()
        self._goes_on = goes_on

    @property
    def keep_alive(self) -> bool:
        """Whether the connection can carry another request."""
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 -- the base's
        """Write no head: it has been written."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write no end: it has been written."""


class _Client:
    """The client's side of a request (`proxy.caller.Caller`)."""

    def __init__(self, request: web.BaseRequest, transport: TLSTransport, judge: Judge) -> None:
        self._request = request
        self._transport = transport
        self._judge = judge
        self._patience = 0.0
        self._raw: _Raw | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the request is left that nobody read."""
        return self._raw is None and self._request.content.at_eof()

    async def introduce(self) -> None:
        """Let the connection of a forwarder count by itself, as it does for EST: it speaks for a whole layer."""
        if self._transport.is_alone:
            return
        with suppress(Unauthenticated):  # it cannot be read, and so is as good as none
            credentials = peer_credentials(self._transport.peer)
            if credentials.certificate is not None and await self._judge.is_forwarder(credentials):
                self._transport.trust()

    async def read(self) -> bytes:
        """A piece of the body, or of whatever comes."""
        piece = await (self._raw.read() if self._raw is not None else self._body())
        self._transport.carry(self._patience)
        return piece

    def trailers(self) -> Headers:
        """The fields behind the body, once it has ended."""
        handler = self._request.protocol
        return handler.trailers(self._request) if isinstance(handler, Handler) else ()

    async def write(self, data: bytes | memoryview) -> None:
        """Write, and wait while the client takes nothing."""
        if self._transport.is_closing():
            raise ConnectionResetError
        self._transport.write(data)
        self._transport.carry(self._patience)
        await self._request.writer.drain()

    async def certificate(self) -> str | None:
        """The client certificate, if it is good."""
        good = await self._good()
        return good.public_bytes(Encoding.PEM).decode() if good else None

    async def holder(self) -> str | None:
        """The device by the common name of its certificate, or else its whole subject, if that is good."""
        good = await self._good()
        if good is None:
            return None
        return device_id(common_name_of(good.subject)) or good.subject.rfc4514_string()

    async def _good(self) -> x509.Certificate | None:
        credentials = peer_credentials(self._transport.peer)
        if credentials.certificate is None or not await self._judge.is_good(credentials):
            return None
        return credentials.certificate

    def allow(self, seconds: float) -> None:
        """Let so many seconds pass without a byte."""
        self._patience = seconds
        self._transport.carry(seconds)

    def switch(self) -> None:
        """Take what comes as it is."""
        self._raw = _Raw(self._transport)
        # aiohttp calls what reads after an upgrade a WebSocketReader; it asks no more of it than `_Raw` has.
        self._request.protocol.set_parser(cast("Any", self._raw))

    async def _body(self) -> bytes:
        content = self._request.content
        try:
            while not content.at_eof():
                if piece := await content.readany():
                    return piece
        except ConnectionError:
            raise
        except Exception as error:  # aiohttp has several for a body that breaks off or is malformed
            raise ConnectionResetError from error
        return b""


class _Raw:
    """Bytes of a connection that speaks no HTTP any more; who sends more than is read has to wait."""

    def __init__(self, transport: TLSTransport) -> None:
        self._transport = transport
        self._held = bytearray()
        self._ended = False
        self._news = asyncio.Event()

    async def read(self) -> bytes:
        """What has come; nothing at the end."""
        while not self._held and not self._ended:
            self._news.clear()
            await self._news.wait()
        piece, self._held = bytes(self._held), bytearray()
        self._transport.resume_reading()
        return piece

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Hear bytes."""
        self._held += data
        self._news.set()
        if len(self._held) > _HIGH_WATER:
            self._transport.pause_reading()
        return False, b""

    def feed_eof(self) -> None:
        """Hear that no more come."""
        self._ended = True
        self._news.set()
