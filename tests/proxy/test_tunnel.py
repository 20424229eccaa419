"""WebSockets: after the upgrade, bytes both ways, until both sides have ended."""

import asyncio
from contextlib import suppress

import pytest

from nestor.errors import CannotIssue
from support import pki
from support.backends import Line, backend
from support.companions import until
from support.pki import CA
from support.proxying import limits_of, proxied, route_to

UPGRADE = (
    b"GET /$iothub/websocket?iothub-no-client-cert=true HTTP/1.1\r\nHost: gw.example\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
)


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


async def echo(line: Line) -> None:
    """Switch, greet in the same breath, then say again what comes."""
    await line.head()
    await line.say(SWITCHING + b"hi")
    while data := await line.reader.read(65_536):
        await line.say(data)


async def test_bytes_go_both_ways_from_the_first_one_on(root: CA) -> None:
    async with backend(echo, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(UPGRADE + b"early")  # in the same packet as the request
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            assert b"Sec-WebSocket-Protocol: mqtt\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" in head
            assert await reader.readexactly(7) == b"hiearly"
            writer.write(b"more")
            assert await reader.readexactly(4) == b"more"
        writer.transport.abort()
    assert b"Upgrade: websocket\r\nConnection: Upgrade\r\n" in behind.heads[0]
    assert b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" in behind.heads[0]


async def test_much_goes_both_ways_at_once_and_arrives_whole(root: CA) -> None:
    content = bytes(range(256)) * 16_384  # 4 MiB, more than every buffer between
    async with backend(echo, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\nhi")
        async with asyncio.timeout(20):
            writer.write(content)
            assert await reader.readexactly(len(content)) == content
        writer.transport.abort()


async def test_the_end_above_is_one_below(root: CA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestor.proxy.exchange._GRACE", 0.2)

    async def talk(line: Line) -> None:
        await line.head()
        await line.say(SWITCHING + b"bye")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(UPGRADE)
        async with asyncio.timeout(8):
            assert (await reader.read()).endswith(b"\r\n\r\nbye")
        writer.transport.abort()
        await proxy.front.settled(0)


async def test_the_end_below_is_one_above(root: CA) -> None:
    ended = asyncio.Event()

    async def talk(line: Line) -> None:
        await echo(line)
        ended.set()

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\nhi")
        writer.transport.abort()
        async with asyncio.timeout(8):
            await ended.wait()


async def test_silence_ends_it(root: CA) -> None:
    async with backend(echo, root) as behind, proxied(route_to(behind), limits=limits_of(web_socket=0.3)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\nhi")
        async with asyncio.timeout(5):
            with suppress(OSError):
                assert await reader.read() == b""
        writer.transport.abort()


async def test_a_certificate_that_is_revoked_ends_what_it_began(root: CA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestor.proxy.exchange._LOOK_AGAIN", 0.02)
    async with backend(echo, root) as behind, proxied(route_to(behind), root=root) as proxy:
        reader, writer = await proxy.connect(root.issue("d1"))
        writer.write(UPGRADE)
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\nhi")
            await until(lambda: len(proxy.verified) > 2)
            proxy.good = CannotIssue("The ledger does not answer.")  # which says nothing of the certificate
            looked = len(proxy.verified)
            await until(lambda: len(proxy.verified) > looked + 2)
            writer.write(b"more")
            assert await reader.readexactly(4) == b"more"
            proxy.good = False
            assert await reader.read() == b""
        writer.transport.abort()
        await proxy.front.settled(0)


@pytest.mark.parametrize("shown", [False, True])
async def test_who_began_without_a_good_certificate_does_not_end_for_the_lack_of_one(
    root: CA, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nestor.proxy.exchange._LOOK_AGAIN", 0.01)
    async with backend(echo, root) as behind, proxied(route_to(behind), good=False, root=root) as proxy:
        reader, writer = await proxy.connect(root.issue("d1") if shown else None)
        writer.write(UPGRADE)
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\nhi")
            await asyncio.sleep(0.1)
            writer.write(b"more")
            assert await reader.readexactly(4) == b"more"
        writer.transport.abort()


async def test_an_upgrade_that_is_refused_leaves_the_connection_good(root: CA) -> None:
    async def talk(line: Line) -> None:
        while True:
            await line.head()
            await line.say(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(UPGRADE, b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answered.count(b"HTTP/1.1 401 ") == 2
