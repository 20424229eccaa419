"""Clients that open a connection and then do less than a request: nothing, half a ClientHello, half a request."""

import select
import socket
import ssl
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import cycle
from typing import Self, TypeVar

from support.device import HOST, PKCS10, Device

Member = TypeVar("Member", bound=socket.socket)

HALF_REQUEST = f"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PKCS10}\r\n".encode()
HALF_BODY = HALF_REQUEST + b"Content-Length: 1000\r\n\r\nMII"


class Crowd:
    """Slow clients from so many addresses of their own, or from those that are given.

    Whom the server has sent away is known by the end of the connection.
    """

    def __init__(self, device: Device, addresses: int | Sequence[str]) -> None:
        self._port = device.port
        self._context = device._context()
        if isinstance(addresses, int):
            addresses = [f"127.0.0.{number}" for number in range(2, 2 + addresses)]
        self._addresses = cycle(addresses)
        self._open = ExitStack()
        self.members: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say_nothing(self) -> None:
        """Connect, and no more."""
        self._keep(self._connect())

    def say_half_a_hello(self) -> None:
        """Begin a handshake and leave it."""
        outgoing = ssl.MemoryBIO()
        session = self._context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
        with suppress(ssl.SSLWantReadError):
            session.do_handshake()
        hello = outgoing.read()
        self._keep(self._connect()).sendall(hello[: len(hello) // 2])

    def say_half_a_request(self, content: bytes = HALF_REQUEST) -> None:
        """Begin a request and leave it; needs a place at the server to do its handshake."""
        session = self._keep(self._context.wrap_socket(self._connect(), server_hostname=HOST))
        session.sendall(content)

    def remaining(self) -> int:
        """How many are still connected."""
        return sum(not _is_closed(member) for member in self.members)

    def answered(self) -> int:
        """How many have been told something since this was last asked."""
        return sum(_is_told(member) for member in self.members)

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), 10, (next(self._addresses), 0))

    def _keep(self, member: Member) -> Member:
        self._open.callback(member.close)
        self.members.append(member)
        return member


def _is_told(member: socket.socket) -> bool:
    member.setblocking(False)
    try:
        return bool(member.recv(4096))
    except (ssl.SSLWantReadError, BlockingIOError):
        return False


def _is_closed(member: socket.socket) -> bool:
    """Whether the other side has closed; what it says before that is read and forgotten."""
    member.setblocking(False)  # a record need not hold anything for us
    while select.select([member], [], [], 0)[0]:
        try:
            if not member.recv(4096):
                return True
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            return True
    return False
