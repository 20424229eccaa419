"""The operations port: plain HTTP for those who watch over this server, answered on a thread of its own.

So it has an answer while the event loop has none. It speaks as little HTTP as monitoring needs: one GET or HEAD to a
connection, small, within seconds, from a few at a time; what is on the pages is not known here.
"""

import asyncio
import http
import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from nestor.naming import network_of
from nestor.web.binding import listen_on
from nestor.web.settings import OperationsSettings

_MOST = 32
_MOST_OF_ONE = 8
"""Connections of one address. This machine's own have places apart: its health is asked for from there."""

_HEAD_BYTES = 8 * 1024
_SECONDS = 5.0
_METHODS = ("GET", "HEAD")
_HERE = "here"
_ENDS = (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
"""How a connection ends that is not answered; cancelled are those that are open when the port is given back."""


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
        self._open: Counter[str] = Counter()
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
        whose = _whose(writer.get_extra_info("peername"))
        self._open[whose] += 1
        try:
            if self._has_place(whose):
                await self._respond(reader, writer)
        except _ENDS:
            pass
        finally:
            self._open[whose] -= 1
            writer.transport.abort()

    def _has_place(self, whose: str) -> bool:
        """Whether one more connection is served; that it is there has been counted."""
        self._open = +self._open
        elsewhere = self._open.total() - self._open[_HERE]
        return self._open[whose] <= _MOST_OF_ONE and (whose == _HERE or elsewhere <= _MOST)

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


def _whose(peer: tuple[Any, ...] | None) -> str:
    """Whose connection it is: that of this machine, or of a network."""
    address = str(peer[0]) if peer else ""
    try:
        return _HERE if ipaddress.ip_address(address.partition("%")[0]).is_loopback else network_of(address)
    except ValueError:  # it has gone already
        return address


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
