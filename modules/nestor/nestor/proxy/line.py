"""One connection upward: TLS driven straight on a non-blocking socket, into buffers of ours; nothing of HTTP.

What is read goes into a buffer that its reader owns, as much as is there and fits: a long body costs no object for each
record, and never more memory than that buffer. Who does not take makes who sends wait, up to the other end.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

_RECORDS = 16
"""TLS records that are taken in one turn of the event loop, however small they are."""


class Lost(Exception):
    """The connection has ended, or failed; says how."""


class Line:
    """A TLS session with a server that was verified. Methods raise Lost."""

    def __init__(self, tls: ssl.SSLSocket) -> None:
        self._tls = tls
        self._descriptor = tls.fileno()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.used = 0
        self.heard = False

    @classmethod
    async def secure(cls, plain: socket.socket, context: ssl.SSLContext, name: str) -> "Line":
        """Shake hands over a connected socket, and check that the server is the one with this name."""
        line = cls(
            context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False, suppress_ragged_eofs=False)
        )
        try:
            while True:
                try:
                    line._tls.do_handshake()
                except ssl.SSLWantReadError:
                    await line._ready(line._loop.add_reader, line._loop.remove_reader)
                except ssl.SSLWantWriteError:
                    await line._ready(line._loop.add_writer, line._loop.remove_writer)
                else:
                    return line
        except BaseException:
            line.close()
            raise

    async def read(self, room: memoryview) -> int:
        """Fill a buffer with what has come, waiting for the first of it; 0 where the server said goodbye."""
        while True:
            got = self._take(room)
            if got is not None:
                self.heard = True
                return got
            await self._ready(self._loop.add_reader, self._loop.remove_reader)

    async def write(self, data: bytes | memoryview) -> None:
        """Write all of it; returns when the socket has taken it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._tls.send(rest) :]
            except ssl.SSLWantWriteError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            except ssl.SSLWantReadError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except OSError as error:
                raise Lost(_how(error)) from error

    def is_silent(self) -> bool:
        """Whether nothing has come since it was last read; a server that has spoken unasked has said goodbye."""
        try:
            socket.socket.recv(self._tls, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return not self._tls.pending()
        except OSError:
            return False
        return False

    def close(self) -> None:
        """End it, with a goodbye where the socket takes one."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        with suppress(OSError, ValueError):
            self._tls.unwrap()
        self._tls.close()

    def _take(self, room: memoryview) -> int | None:
        got = 0
        try:
            for _ in range(_RECORDS):
                part = self._tls.recv_into(room[got:])
                if not part:
                    return got
                got += part
                if got == len(room):
                    break
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return got or None
        except ssl.SSLZeroReturnError:
            return got
        except OSError as error:
            if got:
                return got  # the next reading says the same again
            raise Lost(_how(error)) from error
        return got

    async def _ready(self, watch: Callable[..., None], leave: Callable[[int], bool]) -> None:
        if self._closed:
            raise Lost("it was closed")
        ready: asyncio.Future[None] = self._loop.create_future()
        watch(self._descriptor, _wake, ready)
        try:
            await ready
        finally:
            if not self._closed:
                leave(self._descriptor)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _how(error: OSError) -> str:
    if isinstance(error, ssl.SSLEOFError):
        return "the connection was cut off"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'no reason given').replace('_', ' ').lower()}"
    return error.strerror or type(error).__name__
