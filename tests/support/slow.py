"""Clients that open a connection and then do less than a request: nothing, half a ClientHello, half a request."""

import select
import socket
import ssl
from contextlib import ExitStack, suppress
from typing import Self

from support.device import HOST, PKCS10, Device

HALF_REQUEST = f"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PKCS10}\r\n".encode()
HALF_BODY = HALF_REQUEST + b"Content-Length: 1000\r\n\r\nMII"


class Crowd:
    """Slow clients; whoever the server has sent away is known by the end of the connection."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._context = device._context()
        self._open = ExitStack()
        self.members: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def arrive(self, number: int) -> None:
        """Let so many come, a third of each kind, those first who take the longest to arrive."""
        for kind in (self.say_half_a_request, self.say_half_a_hello, self.say_nothing):
            for _ in range(-(-number // 3)):
                kind()

    def say_nothing(self) -> None:
        """Connect, and no more."""
        self._connect()

    def say_half_a_hello(self) -> None:
        """Begin a handshake and leave it."""
        outgoing = ssl.MemoryBIO()
        session = self._context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
        with suppress(ssl.SSLWantReadError):
            session.do_handshake()
        hello = outgoing.read()
        self._connect().sendall(hello[: len(hello) // 2])

    def say_half_a_request(self, content: bytes = HALF_REQUEST) -> None:
        """Begin a request and leave it."""
        session = self._context.wrap_socket(self._connect(keep=False), server_hostname=HOST)
        session.sendall(content)
        self._keep(session)

    def remaining(self) -> int:
        """How many are still connected."""
        return sum(not _is_closed(member) for member in self.members)

    def _connect(self, *, keep: bool = True) -> socket.socket:
        plain = socket.create_connection((HOST, self._device.port), timeout=10)
        return self._keep(plain) if keep else plain

    def _keep(self, member: socket.socket) -> socket.socket:
        self._open.callback(member.close)
        self.members.append(member)
        return member


def _is_closed(member: socket.socket) -> bool:
    """Whether the other side has closed; what it says before that is read and forgotten."""
    while select.select([member], [], [], 0)[0]:
        try:
            if not member.recv(4096):
                return True
        except (ssl.SSLWantReadError, TimeoutError):
            return False
        except OSError:
            return True
    return False
