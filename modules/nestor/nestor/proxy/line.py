"""One connection upward: TLS between memory and a non-blocking socket, into buffers of ours; nothing of HTTP.

What is read goes into a buffer that its reader owns, as much as is there and fits: a long body costs no object for each
record, and never more memory than a few such buffers. Who does not take makes who sends wait, up to the other end.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import cast

PORTION = 128 * 1024
"""Bytes that are moved at a time: one call of the system for as many records as it holds."""

_RECORDS = 32
"""TLS records that are read in one turn of the event loop, however small they are."""


class Lost(Exception):
    """The connection has ended, or failed; says how.

    `remedy` says what its operator looks at; `{where}` in it is the path of the settings that led there.
    """

    def __init__(self, how: str, remedy: str = "") -> None:
        super().__init__(how)
        self._remedy = remedy

    def told(self, where: str) -> str:
        """How it failed, and what to look at, as one sentence or two without the last full stop."""
        remedy = self._remedy.format(where=where)
        return f"{self}. {remedy}" if remedy else str(self)


class Line:
    """A TLS session with a server that was verified. Methods raise Lost.

    `reused` says that it carried a request before, `heard` that something came since it carries this one.
    """

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._descriptor = connected.fileno()
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_hostname=name)
        self._ended = False
        self.reused = False
        self.heard = False

    async def shake_hands(self) -> None:
        """Begin the session; the server is the one that its name says. Raises ssl.SSLError as well."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fetch()
            except ssl.SSLError:
                with suppress(Lost):
                    await self._flush()  # the alert that says why
                raise
            else:
                await self._flush()
                return

    async def read(self, room: memoryview) -> int:
        """Fill a buffer with what has come, waiting for the first of it; 0 where the server said goodbye."""
        while True:
            got = self._take(room)
            if self._going.pending:
                await self._flush()
            if got is not None:
                self.heard = self.heard or bool(got)
                return got
            await self._fetch()

    async def write(self, data: bytes | memoryview) -> None:
        """Write all of it; returns when the socket has taken it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._tls.write(rest[:PORTION]) :]
            except ssl.SSLError as error:
                raise lost(error) from error
            await self._flush()

    def is_silent(self) -> bool:
        """Whether nothing has come since it was last read; a server that has spoken unasked has said goodbye."""
        if self._ended or self._coming.pending or self._tls.pending():
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """End it, with a goodbye where the socket takes one."""
        if self._descriptor < 0:
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._descriptor = -1
        with suppress(OSError):
            self._tls.unwrap()
        with suppress(OSError):
            self._socket.send(self._going.read())
        self._socket.close()

    def _take(self, room: memoryview) -> int | None:
        """What OpenSSL has of plain bytes; None for nothing yet."""
        got = 0
        try:
            for _ in range(_RECORDS):
                part = cast("int", self._tls.read(len(room) - got, room[got:]))  # with a buffer, a number
                got += part
                if not part or got == len(room):
                    break
        except ssl.SSLWantReadError:
            return got or None
        except ssl.SSLZeroReturnError:
            self._ended = True
        except ssl.SSLError as error:
            if not got:
                raise lost(error) from error
        return got

    async def _fetch(self) -> None:
        """Take what the socket has, waiting for it."""
        while True:
            try:
                data = self._socket.recv(PORTION)
            except BlockingIOError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
                continue
            except OSError as error:
                raise lost(error) from error
            if data:
                self._coming.write(data)
            else:
                self._coming.write_eof()
            return

    async def _flush(self) -> None:
        """Give the socket what OpenSSL has to say, waiting while it takes nothing."""
        rest = memoryview(self._going.read())
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            except OSError as error:
                raise lost(error) from error

    async def _ready(self, watch: Callable[..., None], leave: Callable[[int], bool]) -> None:
        descriptor = self._descriptor
        ready: asyncio.Future[None] = self._loop.create_future()
        watch(descriptor, _wake, ready)
        try:
            await ready
        finally:
            if descriptor == self._descriptor:
                leave(descriptor)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


_ISSUED_BY_OTHERS = frozenset({2, 18, 19, 20, 21, 27})
_FOR_OTHER_NAMES = frozenset({62, 64})
"""What OpenSSL calls a certificate that no anchor vouches for, and one that does not hold the name that was asked."""


def lost(error: OSError) -> Lost:
    """How a connection failed, in words, and what to look at."""
    match error:
        case ssl.SSLCertVerificationError():
            return Lost(f"its certificate is not accepted: {error.verify_message}", _against(error.verify_code))
        case ssl.SSLEOFError():
            return Lost("the connection was cut off")
        case ssl.SSLError():
            return Lost(f"TLS failed: {(error.reason or 'no reason given').replace('_', ' ').lower()}")
        case socket.gaierror():
            return Lost(f"its name cannot be resolved: {error.strerror}", "Check {where}.to, and DNS")
        case ConnectionRefusedError():
            return Lost("nobody listens there", "Check {where}.to, and that it runs")
        case _:
            words = os.strerror(error.errno) if error.errno else error.strerror  # asyncio's own name the address
            return Lost((words or str(error) or type(error).__name__).lower())


def _against(verify_code: int) -> str:
    if verify_code in _ISSUED_BY_OTHERS:
        return "Its CA belongs into {where}.anchors"
    return "Give a name that it holds as {where}.serverName" if verify_code in _FOR_OTHER_NAMES else ""
