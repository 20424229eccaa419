"""Long bodies and slow people: memory stays bounded, and others are served."""

import asyncio
import ssl
import time

import pytest

from support import pki
from support.backends import Line, backend
from support.companions import until
from support.pki import CA
from support.proxying import proxied, route_to

MIB = 1 << 20
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


async def test_who_does_not_read_makes_the_target_wait(root: CA) -> None:
    said = 0

    async def talk(line: Line) -> None:
        nonlocal said
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        for _ in range(64):
            await line.say(bytes(MIB))
            said += 1

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while said != before:  # until nothing moves any more
            before = said
            await asyncio.sleep(0.2)
        assert said < 40
        assert len(await reader.readexactly(64 * MIB)) == 64 * MIB
        writer.transport.abort()


async def test_a_target_that_does_not_read_makes_the_client_wait(root: CA) -> None:
    go, got = asyncio.Event(), 0

    async def talk(line: Line) -> None:
        nonlocal got
        await line.head()
        await go.wait()
        got = len(await line.reader.readexactly(32 * MIB))
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (32 * MIB))
        for _ in range(32):
            writer.write(bytes(MIB))
        [connection] = proxy.front.listener._places.all()
        await until(lambda: connection._reading_paused)
        go.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert got == 32 * MIB
        writer.transport.abort()


async def test_many_long_bodies_leave_the_event_loop_its_turns(root: CA) -> None:
    ended = False

    async def talk(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\n")
        piece = bytes(MIB)
        while not ended:
            await line.say(piece)

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        lines = [await proxy.connect() for _ in range(8)]
        for _, writer in lines:
            writer.write(GET)
        waits = []
        async with asyncio.timeout(10):
            while len(waits) < 200:
                begun = time.monotonic()
                await asyncio.sleep(0)
                waits.append(time.monotonic() - begun)
        ended = True
        for _, writer in lines:
            writer.transport.abort()
    assert sorted(waits)[150] < 0.05


async def test_a_client_of_tiny_records_is_served_and_holds_nobody_up(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.body(await line.head())
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n")
        tls = writer.get_extra_info("ssl_object")
        assert isinstance(tls, ssl.SSLObject)
        for _ in range(20_000):
            writer.write(b"x")
        async with asyncio.timeout(20):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.transport.abort()
