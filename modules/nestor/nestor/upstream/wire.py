"""One conversation with one server: requests out, answers in, within sizes and times; knows nothing of EST.

No redirect is followed, no cookie kept, no proxy of the environment used, nothing decompressed.
"""

import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection

from nestor import __version__
from nestor.upstream.faults import BadAnswer, Closed, fault_of

MAX_ANSWER = 256 * 1024
"""Bytes of the largest answer: CA certificates of a long chain in ML-DSA stay far below."""

CONNECT_TIMEOUT = 3.0
"""Seconds to reach the server and finish the TLS handshake; where the line is silent, UNHEARD ends it before."""

TOTAL_TIMEOUT = 20.0
"""Seconds for one request and its answer."""

KEPT = 4.0
"""Seconds for which a connection is kept that nobody uses: servers close idle ones, and a request may meet that."""

UNHEARD = 1.1
"""Seconds for which the other side's system may leave unconfirmed what was sent: a line that was cut says nothing.

So who asks first after a cut hears of it within two seconds, on a kept connection as on one that is being made. A first
packet that was lost is sent again after one second, and has the rest to be answered in.
"""

_HEADERS = {hdrs.USER_AGENT: f"nestor/{__version__}", hdrs.ACCEPT_ENCODING: "identity"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `tls_unique` is the channel binding of its TLS 1.2 session (RFC 5929)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tls_unique: bytes | None


@dataclass(slots=True)
class Progress:
    """How far a request came: whether any of it may have reached the server."""

    sent: bool = False


class Wire:
    """A conversation; an async context manager. `server` names the other side in sentences.

    It has as many `connections` as are needed at a time, up to this number; further requests wait for one. `proxy` is
    an HTTP proxy that is asked for a tunnel.
    """

    def __init__(
        self,
        server: str,
        context: ssl.SSLContext,
        timeout: float = TOTAL_TIMEOUT,
        *,
        connections: int = 1,
        proxy: str | None = None,
    ) -> None:
        self._server = server
        self._context = context
        self._timeout = timeout
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None
        self._only_session = False

    async def __aenter__(self) -> Self:
        watch = aiohttp.TraceConfig()
        watch.on_connection_create_start.append(self._before_connecting)
        watch.on_request_headers_sent.append(_note_sent)
        self._session = aiohttp.ClientSession(
            # Pythons before 3.12.7 forget a TLS connection whose closing the peer does not answer.
            connector=aiohttp.TCPConnector(
                ssl=self._context,
                limit=self._connections,
                keepalive_timeout=KEPT,
                socket_factory=impatient,
                enable_cleanup_closed=sys.version_info < (3, 12, 7),
            ),
            timeout=_within(self._timeout),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_Response,
            auto_decompress=False,
            trace_configs=[watch],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def stay(self) -> None:
        """From now on use the TLS session that there is, and no other: a request is linked to it."""
        self._only_session = True

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        within: float | None = None,
        progress: Progress | None = None,
    ) -> Answer:
        """Send one request. Raises Unavailable where there is no answer, BadAnswer for one that is too large.

        `progress` tells afterwards whether it was sent, where it was not answered.
        """
        if self._session is None:
            msg = "a Wire is used within `async with`"
            raise RuntimeError(msg)
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=_within(within or self._timeout),
                trace_request_ctx=progress,
            ) as response:
                content = await self._content(response)
                unique = response.tls_unique if isinstance(response, _Response) else None
                return Answer(response.status, response.headers, content, unique)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise fault_of(error, self._server) from error

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > MAX_ANSWER:
                raise BadAnswer(f"{self._server} sends more than {MAX_ANSWER} bytes; no EST answer is so large.")
        return bytes(content)

    async def _before_connecting(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        _params: aiohttp.TraceConnectionCreateStartParams,
    ) -> None:
        if self._only_session:
            raise Closed(f"{self._server} closed the TLS session that the request was linked to.", "Try again.")


def _within(seconds: float) -> aiohttp.ClientTimeout:
    """The time for one request; waiting for a free connection is part of it, connecting has its own limit."""
    exactly = seconds + 1  # aiohttp rounds what is above its threshold up to whole seconds
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, CONNECT_TIMEOUT), ceil_threshold=exactly)


def impatient(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that finds out in time that nobody is there any more (TCP_USER_TIMEOUT, RFC 5482)."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNHEARD * 1000))
    return made


async def _note_sent(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    if isinstance(context.trace_request_ctx, Progress):
        context.trace_request_ctx.sent = True


class _Response(aiohttp.ClientResponse):
    """A response that notes the binding of its TLS session; afterwards aiohttp has let go of the connection."""

    tls_unique: bytes | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        tls = connection.transport.get_extra_info("ssl_object") if connection.transport is not None else None
        if isinstance(tls, ssl.SSLObject) and tls.version() == "TLSv1.2":
            self.tls_unique = tls.get_channel_binding("tls-unique")
        return await super().start(connection)
