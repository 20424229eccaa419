"""TLS connections by the thousand from one thread: pyOpenSSL on non-blocking sockets, so that the client costs little.

A client that is the slower side would measure itself; every figure comes with the share of a core that it took.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from OpenSSL import SSL

_SERVER = "127.0.0.1"
_READ = 64 * 1024
_IP_BIND_ADDRESS_NO_PORT = 24  # Linux: the port is chosen when the other end is known, so ports do not run out
_END_OF_HEAD = b"\r\n\r\n"

Result = TypeVar("Result")


def client_context(anchor: Path, identity: Path | None = None) -> SSL.Context:
    """A client that verifies the server's chain; `identity` is a PEM file of a key and its certificate."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(str(anchor))
    context.set_verify(SSL.VERIFY_PEER, lambda *verdict: bool(verdict[-1]))
    if identity is not None:
        context.use_certificate_file(str(identity))
        context.use_privatekey_file(str(identity))
    return context


class Line:
    """One connection. Whatever ends it is a ConnectionError."""

    def __init__(self, session: SSL.Connection, connected: socket.socket) -> None:
        self._session = session
        self._socket = connected
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, context: SSL.Context, port: int, source: str = "") -> Self:
        """Connect, be it from an address of one's own, and shake hands."""
        connected = socket.socket()
        try:
            connected.setblocking(False)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source:
                connected.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                connected.bind((source, 0))
            await asyncio.get_running_loop().sock_connect(connected, (_SERVER, port))
            session = SSL.Connection(context, connected)
            session.set_tlsext_host_name(b"localhost")
            session.set_connect_state()
            line = cls(session, connected)
            await line._until(session.do_handshake)
        except BaseException:
            connected.close()
            raise
        return line

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request of HTTP, and read status and body of the answer."""
        await self._until(lambda: self._session.send(request))
        held = b""
        while _END_OF_HEAD not in held:
            held += await self._until(lambda: self._session.recv(_READ))
        head, _, body = held.partition(_END_OF_HEAD)
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(body) < length:
            body += await self._until(lambda: self._session.recv(_READ))
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        """Say goodbye, and close."""
        with suppress(SSL.Error):
            self._session.shutdown()
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        self._socket.close()

    async def _until(self, step: Callable[[], Result]) -> Result:
        """Try until the socket has given or taken enough."""
        while True:
            try:
                return step()
            except SSL.WantReadError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            except SSL.WantWriteError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
            except SSL.Error as error:
                raise ConnectionError(repr(error)) from error

    async def _ready(self, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
        descriptor = self._socket.fileno()
        ready: asyncio.Future[None] = self._loop.create_future()
        add(descriptor, _wake, ready)
        try:
            await ready
        finally:
            remove(descriptor)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
