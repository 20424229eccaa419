"""How long each step of a connection may take: every limit by itself, the others being too long to matter."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable
from contextlib import suppress

import pytest
from aiohttp import web

from nestor.web.transport import TLSTransport
from support.front import front
from support.wire import GET

LIMIT = 0.4
LOOK = 0.25  # how often deadlines are looked at
BUSY_MACHINE = 1.5
_OTHERS = dict.fromkeys(("handshake", "head", "body", "request", "answer", "idle", "wait"), 60.0)
_POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _only(**limits: float) -> dict[str, float]:
    return {**_OTHERS, **limits}


async def _ends_in_time(end: Awaitable[object], begun: float, limit: float = LIMIT) -> None:
    """Whether something ends when the limit has passed, and not before."""
    async with asyncio.timeout(limit + LOOK + BUSY_MACHINE):
        await end
    assert time.monotonic() - begun > limit - 0.05


async def _end(reader: asyncio.StreamReader) -> bytes:
    """What is said until the end, which may come without a goodbye."""
    heard = b""
    with suppress(ConnectionError, ssl.SSLError):
        while more := await reader.read(65_536):
            heard += more
    return heard


async def _trickle(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Say something, a byte at a time, for longer than any limit of these tests."""
    with suppress(ConnectionError):
        for byte in content:
            writer.write(bytes([byte]))
            await asyncio.sleep(LIMIT / 10)


async def test_a_handshake_that_does_not_end_is_cut_off_and_told() -> None:
    async with front(**_only(handshake=LIMIT)) as served:
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("localhost", served.port)
        writer.write(b"\x16\x03\x01")
        await _ends_in_time(_end(reader), begun)
        writer.close()
        assert [sentence for _, sentence in served.told] == [
            "The client did not finish the TLS handshake within 0.4 s."
        ]


async def test_who_says_nothing_after_the_handshake_is_told_goodbye() -> None:
    async with front(**_only(head=LIMIT)) as served:
        reader, writer = await served.connect()
        begun = time.monotonic()
        await _ends_in_time(reader.read(), begun)  # raises where the end comes without close_notify
        writer.close()


@pytest.mark.parametrize("asked_before", [False, True])
async def test_a_head_that_trickles_is_cut_off_counted_from_its_first_byte(asked_before: bool) -> None:
    async with front(**_only(head=LIMIT)) as served:
        reader, writer = await served.connect()
        if asked_before:
            writer.write(GET)
            await reader.readuntil(b"hello")
            await asyncio.sleep(LIMIT + LOOK)  # idle: a limit of its own
        begun = time.monotonic()
        slowly = asyncio.ensure_future(_trickle(writer, GET * 10))
        await _ends_in_time(_end(reader), begun)
        slowly.cancel()
        writer.close()


async def test_who_is_idle_after_an_answer_is_told_goodbye() -> None:
    async with front(**_only(idle=LIMIT)) as served:
        reader, writer = await served.connect()
        await asyncio.sleep(LIMIT + LOOK)
        writer.write(GET)
        await reader.readuntil(b"hello")
        begun = time.monotonic()
        await _ends_in_time(reader.read(), begun)
        writer.close()


async def test_each_answer_begins_the_idle_time_anew() -> None:
    async with front(**_only(idle=2 * LIMIT)) as served:
        reader, writer = await served.connect()
        for _ in range(4):
            writer.write(GET)
            await reader.readuntil(b"hello")
            await asyncio.sleep(LIMIT)
        writer.close()


async def test_a_request_that_is_never_answered_is_cut_off_when_request_and_answer_have_had_their_time() -> None:
    async with front(**_only(request=LIMIT / 2, answer=LIMIT / 2)) as served:
        reader, writer = await served.connect()
        begun = time.monotonic()
        writer.write(_POST)
        await _ends_in_time(_end(reader), begun)
        writer.close()


async def test_who_waits_for_a_place_too_long_is_cut_off() -> None:
    async with front(connections_per_address=1, **_only(wait=LIMIT)) as served:
        with socket.create_connection(("localhost", served.port), 5):
            await served.settled(1)
            begun = time.monotonic()
            reader, writer = await asyncio.open_connection("localhost", served.port)
            await _ends_in_time(_end(reader), begun)
            writer.close()
            assert served.listener.connections == 1, "who has a place keeps it"


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    async with front(_much, **_only(answer=LIMIT)) as served:
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", served.port))
            client = await asyncio.to_thread(served.tls().wrap_socket, plain, server_hostname="localhost")
            client.sendall(GET)
            begun = time.monotonic()
            await _ends_in_time(served.settled(0, 10), begun)
            client.close()


async def _much(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
    """An answer that no buffer on the way holds, and the last one of its connection."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    transport.write(bytes(4 << 20))
    transport.close()
    return web.Response()
