"""How long each step of a connection may take: every limit by itself, the others being too long to matter."""

import asyncio
import socket
import time
from typing import cast

import pytest
from aiohttp import web

from nestor.web.transport import TLSTransport
from support.front import front
from support.patience import LIMIT, LOOK, in_time, only, to_the_end, trickle
from support.wire import GET

_POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"


async def test_a_handshake_that_does_not_end_is_cut_off_and_told() -> None:
    async with front(**only(handshake=LIMIT)) as served:
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("localhost", served.port)
        writer.write(b"\x16\x03\x01")
        await in_time(to_the_end(reader), begun)
        writer.close()
        assert [sentence for _, sentence in served.told] == [
            "The client did not finish the TLS handshake within 0.4 s."
        ]


async def test_who_says_nothing_after_the_handshake_is_told_goodbye() -> None:
    async with front(**only(head=LIMIT)) as served:
        reader, writer = await served.connect()
        begun = time.monotonic()
        await in_time(reader.read(), begun)  # raises where the end comes without close_notify
        writer.close()


@pytest.mark.parametrize("asked_before", [False, True])
async def test_a_head_that_trickles_is_cut_off_counted_from_its_first_byte(asked_before: bool) -> None:
    async with front(**only(head=LIMIT)) as served:
        reader, writer = await served.connect()
        if asked_before:
            writer.write(GET)
            await reader.readuntil(b"hello")
            await asyncio.sleep(LIMIT + LOOK)  # idle: a limit of its own
        begun = time.monotonic()
        slowly = asyncio.ensure_future(trickle(writer, GET * 10))
        await in_time(to_the_end(reader), begun)
        slowly.cancel()
        writer.close()


async def test_who_is_idle_after_an_answer_is_told_goodbye() -> None:
    async with front(**only(idle=LIMIT)) as served:
        reader, writer = await served.connect()
        await asyncio.sleep(LIMIT + LOOK)
        writer.write(GET)
        await reader.readuntil(b"hello")
        begun = time.monotonic()
        await in_time(reader.read(), begun)
        writer.close()


async def test_each_answer_begins_the_idle_time_anew() -> None:
    async with front(**only(idle=2 * LIMIT)) as served:
        reader, writer = await served.connect()
        for _ in range(4):
            writer.write(GET)
            await reader.readuntil(b"hello")
            await asyncio.sleep(LIMIT)
        writer.close()


async def test_a_request_that_is_never_answered_is_cut_off_when_request_and_answer_have_had_their_time() -> None:
    async with front(**only(request=LIMIT / 2, answer=LIMIT / 2)) as served:
        reader, writer = await served.connect()
        begun = time.monotonic()
        writer.write(_POST)
        await in_time(to_the_end(reader), begun)
        writer.close()


async def test_who_waits_for_a_place_too_long_is_cut_off() -> None:
    async with front(connections_per_address=1, **only(wait=LIMIT)) as served:
        with socket.create_connection(("localhost", served.port), 5) as holder:
            holder.sendall(b"\x16")
            await served.settled(1)
            begun = time.monotonic()
            reader, writer = await asyncio.open_connection("localhost", served.port)
            writer.write(b"\x16")
            await in_time(to_the_end(reader), begun)
            writer.close()
            assert served.listener.connections == 1, "who has a place keeps it"


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    async with front(_much, **only(answer=LIMIT)) as served:
        _, writer = await served.connect()
        cast("asyncio.Transport", writer.transport).pause_reading()
        writer.write(GET)
        begun = time.monotonic()
        await served.settled(1)
        await in_time(served.settled(0, 10), begun)
        writer.transport.abort()


async def _much(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
    """An answer that no buffer on the way holds, and the last one of its connection."""
    transport.write(bytes(32 << 20))
    transport.close()
    return web.Response()
