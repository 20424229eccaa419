"""Where a message ends before its time, or has no body at all: both sides agree on it, and the connection goes on."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest
from OpenSSL import SSL

from support import pki
from support.backends import Line, backend
from support.pki import CA
from support.proxying import proxied, route_to

MIB = 1 << 20
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


@pytest.mark.parametrize("head", [b"204 No Content\r\nX-A: 1", b"304 Not Modified\r\nContent-Length: 7"])
@pytest.mark.parametrize("method", [b"GET", b"PUT"])
async def test_an_answer_that_has_no_body_by_its_status_ends_with_its_head(
    root: CA, head: bytes, method: bytes
) -> None:
    async def talk(line: Line) -> None:
        await line.body(await line.head())
        await line.say(b"HTTP/1.1 " + head + b"\r\n\r\n")
        await line.head()
        await line.say(OK)

    first = method + b" /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(first + LAST)
    one, two = answered.split(b"\r\n\r\n", 1)
    assert one == b"HTTP/1.1 " + head
    assert two.startswith(b"HTTP/1.1 200 OK\r\n")
    assert behind.lines == 1


async def test_the_answer_to_head_where_get_would_have_chunks_ends_with_its_head(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
        await line.head()
        await line.say(OK)

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(GET.replace(b"GET", b"HEAD") + LAST)
    assert answered.split(b"\r\n\r\n", 1)[1].startswith(b"HTTP/1.1 200 OK\r\n")
    assert behind.lines == 1


async def test_an_answer_that_comes_while_the_body_is_still_sent_is_handed_down_at_once(root: CA) -> None:
    async def talk(line: Line) -> None:
        head = await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
        assert len(await line.body(head)) == 3 * MIB
        await line.say(b"4\r\nlate\r\n0\r\n\r\n")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (3 * MIB) + bytes(MIB))
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"5\r\nearly\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.write(bytes(2 * MIB))
            assert await reader.readuntil(b"0\r\n\r\n") == b"4\r\nlate\r\n0\r\n\r\n"
        writer.transport.abort()
    assert proxy.standing().carried >= 3 * MIB


async def test_a_body_that_nobody_takes_any_more_is_answered_and_the_connection_ends(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + bytes(MIB // 2))
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\nno")).startswith(b"HTTP/1.1 413 ")
        writer.transport.abort()


async def test_a_client_that_has_said_goodbye_still_gets_its_answer(root: CA) -> None:
    goodbye = asyncio.Event()

    async def talk(line: Line) -> None:
        body = await line.body(await line.head())
        await goodbye.wait()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        loop = asyncio.get_running_loop()
        answered = await asyncio.to_thread(_half_closed, proxy.port, lambda: loop.call_soon_threadsafe(goodbye.set))
    assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answered.endswith(b"\r\n\r\nhello")


def _half_closed(port: int, said: Callable[[], object]) -> bytes:
    """Ask, say close_notify, then hear what still comes."""
    with socket.create_connection(("localhost", port)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
        session = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), plain)
        session.set_connect_state()
        session.do_handshake()
        session.sendall(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        assert not session.shutdown()
        said()
        answered = b""
        while not answered.endswith(b"hello"):
            answered += session.recv(65_536)
        return answered
