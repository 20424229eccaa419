"""The operations port: plain HTTP for those who watch over this server, answered on a thread of its own.

So it has an answer while the event loop has none. It speaks as little HTTP as monitoring needs: one GET or HEAD to a
connection, small, within seconds, from a few at a time; what is on the pages is not known here.
"""

import asyncio
import http
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from nestor.web.binding import listen_on
from nestor.web.settings import OperationsSettings

_MOST = 32
_HEAD_BYTES = 8 * 1024
_SECONDS = 5.0
_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Page:
    """What is at a path."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: http.HTTPStatus = http.HTTPStatus.OK


Answer = Callable[[str, str], Awaitable[Page | None]]
"""The page at a path, for who asks from an address; None where there is nothing."""


@asynccontextmanager
async def operations_port(settings: OperationsSettings, answer: Answer) -> AsyncIterator[list[tuple[str, int]]]:
    """Answer on the port of the settings as long as the context lasts; it is where. Raises Unavailable."""
    sockets = await listen_on(settings.addresses, settings.port, "operations")
    places = [one.getsockname()[:2] for one in sockets]
    thread = _Thread(sockets, answer)
    thread.start()
    try:
        yield places
    finally:
        await thread.end()


class _Thread(threading.Thread):
    """The thread that answers, with an event loop of its own."""

    def __init__(self, sockets: Sequence[socket.socket], answer: Answer) -> None:
        super().__init__(name="operations", daemon=True)
        self._sockets = sockets
        self._answer = answer
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Answer until told to end."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def end(self) -> None:
        """Give the port back."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._ended.set)
        await asyncio.to_thread(self.join, _SECONDS)

    async def _serve(self) -> None:
        servers = [await asyncio.start_server(self._talk, sock=one, limit=_HEAD_BYTES) for one in self._sockets]
        await self._ended.wait()
        for server in servers:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear one request and answer it; whoever is slow, or one too many, is cut off."""
        self._open += 1
        try:
            if self._open <= _MOST:
                await self._respond(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        method, page = await self._page(head, writer.get_extra_info("peername")[0])
        async with asyncio.timeout(_SECONDS):
            writer.transport.set_write_buffer_limits(0)
            writer.write(_written(method, page))
            await writer.drain()
            writer.write_eof()
            await reader.read(_HEAD_BYTES)  # until the other end closes, so that no reset overtakes the answer

    async def _page(self, head: bytes, address: str) -> tuple[str, Page]:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004 -- method, path, version
            return "GET", _failure(http.HTTPStatus.BAD_REQUEST)
        method, target, _ = words
        if method not in _METHODS:
            return method, _failure(http.HTTPStatus.METHOD_NOT_ALLOWED)
        found = await self._answer(target.partition("?")[0], address)
        return method, found or _failure(http.HTTPStatus.NOT_FOUND)


def _failure(status: http.HTTPStatus) -> Page:
    return Page(f"{status.phrase}\n".encode(), status=status)


def _written(method: str, page: Page) -> bytes:
    """The answer as bytes."""
    lines = [
        f"HTTP/1.1 {page.status.value} {page.status.phrase}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if page.status is http.HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append(f"Allow: {', '.join(_METHODS)}")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if method == "HEAD" else head + page.body
