"""aiohttp's HTTP server, made to speak as the site does where a request is too broken to reach it."""

import asyncio
import http
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from nestor.errors import Malformed, NestorError, OurFault
from nestor.proxy.routing import Headers
from nestor.web.framing import MOST_WAITING, Framing
from nestor.web.problems import respond_to
from nestor.web.settings import LimitSettings

_MAX_HEADER = 16_384

_NO_HTTP = ("What came is no HTTP request that this server reads.", "Check the client, and what stands between.")

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Tell = Callable[[NestorError, str], None]


class HTTP(web.Server):
    """Makes the HTTP side of connections; `broken` hears the fault and the id of what was answered without the site."""

    def __init__(self, handle: Handle, limits: LimitSettings, broken: Tell) -> None:
        super().__init__(
            handle,
            access_log=None,
            keepalive_timeout=limits.idle.total_seconds(),
            lingering_time=0,
            auto_decompress=False,
            max_field_size=_MAX_HEADER,
            max_line_size=_MAX_HEADER,
        )
        self._broken = broken

    def __call__(self) -> "Handler":
        """The HTTP side of one connection."""
        return Handler(self, self._broken, loop=asyncio.get_running_loop(), **self._kwargs)


class Handler(RequestHandler):
    """One connection; answers with our words what aiohttp would answer with its own, the input in them."""

    __slots__ = ("_broken", "_framing", "_work")

    def __init__(self, manager: web.Server, broken: Tell, **options: Any) -> None:
        super().__init__(manager, **options)
        self._broken = broken
        self._framing = Framing(cast("Any", self._parser))
        self._parser = cast("Any", self._framing)
        self._max_msg_queue_size = MOST_WAITING  # with so many, it hears no more
        self._msg_queue_resume_size = MOST_WAITING // 2
        self._work: asyncio.Task[Any] | None = None

    def trailers(self, request: web.BaseRequest) -> Headers:
        """The fields behind the body of a request, once it has ended."""
        return self._framing.trailers(request.content)

    @contextmanager
    def work(self) -> Iterator[None]:
        """What the running task does in here ends when the connection does. Raises ConnectionResetError then."""
        self._work = task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self.transport is not None or task is None:
                raise
            task.uncancel()
            raise ConnectionResetError from None
        finally:
            self._work = None

    def eof_received(self) -> None:
        """Hear that the client says no more: what speaks no HTTP any more has to know."""
        if self._payload_parser is not None:
            self._payload_parser.feed_eof()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hear that nobody is there any more."""
        super().connection_lost(exc)
        if self._work is not None:
            self._work.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = http.HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 -- aiohttp's signature; its words hold what came in
    ) -> web.StreamResponse:
        """Answer what was no request, and close. Raises ConnectionError where an answer has begun."""
        if request.writer.output_size > 0:
            raise ConnectionError from exc
        fault = OurFault("") if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else Malformed(*_NO_HTTP)
        fault.__cause__ = exc
        request_id = secrets.token_hex(6)
        self._broken(fault, request_id)
        response = respond_to(fault, request_id)
        response.force_close()
        return response
