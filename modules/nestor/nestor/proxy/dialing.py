"""How a target is reached: one address after the other, be it through an HTTP proxy (RFC 9110, 9.3.6), then TLS."""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from nestor.proxy.line import Line, Lost, lost

_HEAD_START = 0.25
"""Seconds that an address has before the next one is tried beside it (RFC 8305, 5)."""

_LONGEST_ANSWER = 16 * 1024
_CONNECTED = (b"HTTP/1.1 2", b"HTTP/1.0 2")
_HTTPS = 443
_CHECK_THROUGH = "Check proxy.through"

_Address = tuple[
    socket.AddressFamily, socket.SocketKind, int, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


@dataclass(frozen=True, slots=True)
class Through:
    """An HTTP proxy on the way."""

    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A server: where it is, the name that its certificate has to hold, and with what to speak TLS to it.

    `context` may change from one connection to the next, with the trust that is behind it. Raises NestorError.
    """

    host: str
    port: int
    server_name: str
    context: Callable[[], Awaitable[ssl.SSLContext]] = field(repr=False)
    through: Through | None = None

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS else f"{host}:{self.port}"


async def dial(target: Target, context: ssl.SSLContext) -> Line:
    """Connect and verify. Raises Lost, which says why it failed, for the operator alone."""
    plain: socket.socket | None = None
    try:
        plain = await reach(target.host, target.port, target.through)
        line = Line(plain, context, target.server_name)
        await line.shake_hands()
    except BaseException as error:
        if plain is not None:
            plain.close()
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            raise lost(error) from error
        raise
    return line


async def reach(host: str, port: int, through: Through | None) -> socket.socket:
    """A socket that is connected, be it through an HTTP proxy. Raises Lost or OSError."""
    return await (_connect(host, port) if through is None else _tunnel(through, authority_of(host, port)))


def authority_of(host: str, port: int) -> str:
    """Host and port in one word."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _connect(host: str, port: int) -> socket.socket:
    """A socket connected to the first address that answers; the families take turns (RFC 8305)."""
    loop = asyncio.get_running_loop()
    resolved = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = [(family, kind, protocol, place) for family, kind, protocol, _, place in resolved]
    families = [[one for one in found if one[0] is family] for family in dict.fromkeys(one[0] for one in found)]
    addresses = [one for one in chain.from_iterable(zip_longest(*families)) if one is not None]
    tries: set[asyncio.Future[socket.socket]] = set()
    try:
        return await _first(addresses, tries)
    finally:
        for one in tries:
            one.cancel()
            one.add_done_callback(_discard)


async def _first(addresses: Sequence[_Address], tries: set[asyncio.Future[socket.socket]]) -> socket.socket:
    error: OSError = OSError("it has no address")
    waiting = list(addresses)
    while waiting or tries:
        if waiting:
            tries.add(asyncio.ensure_future(_connected(waiting.pop(0))))
        done, _ = await asyncio.wait(
            tries, timeout=_HEAD_START if waiting else None, return_when=asyncio.FIRST_COMPLETED
        )
        for one in done:
            tries.discard(one)
            failed = one.exception()
            if failed is None:
                return one.result()
            if not isinstance(failed, OSError):
                raise failed
            error = failed
    raise error


async def _connected(address: _Address) -> socket.socket:
    family, kind, protocol, place = address
    plain = socket.socket(family, kind, protocol)
    try:
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(plain, place)
    except BaseException:
        plain.close()
        raise
    return plain


def _discard(one: "asyncio.Future[socket.socket]") -> None:
    """Close a connection that came too late."""
    if not one.cancelled() and one.exception() is None:
        one.result().close()


async def _tunnel(through: Through, authority: str) -> socket.socket:
    """A socket on which an HTTP proxy carries bytes to an authority."""
    loop = asyncio.get_running_loop()
    try:
        plain = await _connect(through.host, through.port)
    except OSError as error:
        raise Lost(f"the HTTP proxy {through.host}: {lost(error)}", _CHECK_THROUGH) from error
    try:
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if through.credentials is not None:
            lines.append(f"Proxy-Authorization: Basic {b64encode(through.credentials.encode()).decode()}")
        await loop.sock_sendall(plain, "\r\n".join([*lines, "", ""]).encode())
        _check(await _answer(plain), through)
    except BaseException:
        plain.close()
        raise
    return plain


def _check(answer: bytes, through: Through) -> None:
    if not answer.startswith(_CONNECTED):
        status = answer.partition(b"\r\n")[0][9:12].decode("latin-1")
        raise Lost(f"the HTTP proxy {through.host} refused the connection with status {status}", _CHECK_THROUGH)


async def _answer(plain: socket.socket) -> bytes:
    """The head of the proxy's answer, and not a byte of what follows it: that belongs to TLS."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = await asyncio.get_running_loop().sock_recv(plain, 1)
        answer += part
        if not part or len(answer) > _LONGEST_ANSWER:
            raise Lost("the HTTP proxy gave no answer that can be read")
    return answer
