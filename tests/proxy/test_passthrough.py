"""TLS handed on as it is: it ends at the server above, and the client sees that; bounded in number and in time."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.app.clock import SystemClock
from nestor.events import Carried, Event, Note, Trouble
from nestor.proxy.dialing import Through
from nestor.proxy.passthrough import NAME, Passthrough, Way
from nestor.proxy.settings import PassthroughSettings
from nestor.proxy.standing import Standings
from support import pki
from support.backends import Backend, Line, answer, backend
from support.companions import until
from support.device import client_context
from support.pki import CA
from support.server import free_port
from support.tunneling import http_proxy

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
MIB = 1 << 20
CLOSED = (ConnectionError, ssl.SSLError)


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


@dataclass
class Passed:
    """What passes, where it leads to, and what it told."""

    way: Way | None
    port: int
    anchor: Path
    events: list[Event] = field(default_factory=list)
    standings: Standings = field(default_factory=lambda: Standings(SystemClock().now))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that believes the server above, and nobody between."""
        tls = client_context(self.anchor, None)
        return await asyncio.open_connection("localhost", self.port, ssl=tls, server_hostname="localhost")

    async def ask(self) -> bytes:
        async with asyncio.timeout(5):
            reader, writer = await self.connect()
            writer.write(GET)
            said = await reader.readuntil(b"hello")
        writer.transport.abort()
        return said

    @property
    def carried(self) -> list[Carried]:
        return [event for event in self.events if isinstance(event, Carried)]

    @property
    def troubles(self) -> list[str]:
        return [event.sentence for event in self.events if isinstance(event, Trouble)]


def way_to(behind: Backend, *, through: Through | None = None, host: str = "localhost", **limits: float) -> Way:
    usual = PassthroughSettings.model_validate({})
    update = {
        name: value if name.startswith("connections") else timedelta(seconds=value) for name, value in limits.items()
    }
    return Way(host, behind.port, usual.model_copy(update=update), through)


@asynccontextmanager
async def passing(way: Way | None, root: CA, place: Path) -> AsyncIterator[tuple[Passed, Passthrough]]:
    made = Passed(way, free_port(), root.write(place))
    passthrough = Passthrough(SystemClock(), made.standings, made.events.append, lambda: made.way)
    listening = socket.create_server(("127.0.0.1", made.port))
    listening.setblocking(False)
    passthrough.listen([listening])
    try:
        yield made, passthrough
    finally:
        await passthrough.close(0)


async def test_the_client_speaks_with_the_server_above_and_sees_its_certificate(root: CA, tmp_path: Path) -> None:
    async with backend(answer, root) as behind, passing(way_to(behind), root, tmp_path) as (passed, _):
        assert (await passed.ask()).startswith(b"HTTP/1.1 200 ")
        await until(lambda: passed.carried)
    [told] = passed.carried
    assert (told.route, told.status) == (NAME, 200)
    assert told.sent > len(GET)
    assert behind.heads == [GET]


async def test_much_passes_both_ways_whole(root: CA, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192

    async def echo(line: Line) -> None:
        while data := await line.reader.read(65_536):
            await line.say(data)

    async with backend(echo, root) as behind, passing(way_to(behind), root, tmp_path) as (passed, _):
        reader, writer = await passed.connect()
        writer.write(content)
        async with asyncio.timeout(20):
            assert await reader.readexactly(len(content)) == content
        writer.transport.abort()


async def test_who_does_not_read_makes_the_server_wait(root: CA, tmp_path: Path) -> None:
    said = 0

    async def talk(line: Line) -> None:
        nonlocal said
        await line.head()
        for _ in range(64):
            await line.say(bytes(MIB))
            said += 1

    async with backend(talk, root) as behind, passing(way_to(behind), root, tmp_path) as (passed, _):
        _, writer = await passed.connect()
        writer.write(GET)
        before = -1
        while said != before:  # until nothing moves any more
            before = said
            await asyncio.sleep(0.1)
        assert said < 40
        writer.transport.abort()


@pytest.mark.parametrize("limits", [{"connections": 2}, {"connections_per_address": 2}])
async def test_what_is_one_too_many_is_closed_and_told_of_once(
    root: CA, tmp_path: Path, limits: dict[str, float]
) -> None:
    async with backend(answer, root) as behind, passing(way_to(behind, **limits), root, tmp_path) as (passed, _):
        lines = [await passed.connect() for _ in range(2)]
        for _ in range(2):
            with pytest.raises(CLOSED):
                await passed.connect()
        assert len(passed.troubles) == 1
        for _, writer in lines:
            writer.transport.abort()
        await until(lambda: len(passed.carried) == 2)
        assert b" 200 " in await passed.ask()


async def test_a_crowd_that_comes_and_goes_fills_no_log(root: CA, tmp_path: Path) -> None:
    async with backend(answer, root) as behind, passing(way_to(behind, connections=1), root, tmp_path) as (passed, _):
        for number in range(1, 4):
            _, writer = await passed.connect()
            with pytest.raises(CLOSED):
                await passed.connect()
            writer.transport.abort()
            await until(lambda number=number: len(passed.carried) == number)
        assert len(passed.troubles) == 1


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b""])
async def test_who_speaks_no_tls_or_nothing_reaches_nobody(root: CA, tmp_path: Path, said: bytes) -> None:
    async with backend(answer, root) as behind, passing(way_to(behind, connect=0.2), root, tmp_path) as (passed, _):
        reader, writer = await asyncio.open_connection("localhost", passed.port)
        writer.write(said)
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        await until(lambda: passed.carried)
        writer.close()
    assert behind.lines == 0
    assert passed.carried[0].status == 0
    assert passed.troubles == []  # that is not the server's doing


async def test_the_end_of_one_way_is_handed_on_and_the_other_goes_on(root: CA, tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(await reader.read() + b" bye")  # everything, up to the end
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "localhost", 0)
    behind = Backend(root, server.sockets[0].getsockname()[1])
    async with passing(way_to(behind), root, tmp_path) as (passed, _):
        reader, writer = await asyncio.open_connection("localhost", passed.port)
        writer.write(b"\x16hello")
        writer.write_eof()
        async with asyncio.timeout(5):
            assert await reader.read() == b"\x16hello bye"
        writer.close()
    server.close()


async def test_silence_ends_it(root: CA, tmp_path: Path) -> None:
    async with backend(answer, root) as behind, passing(way_to(behind, idle=0.2), root, tmp_path) as (passed, _):
        reader, writer = await passed.connect()
        async with asyncio.timeout(5):
            with suppress(OSError):
                assert await reader.read() == b""
        writer.transport.abort()


async def test_a_server_that_is_away_is_told_of_once_and_works_again(root: CA, tmp_path: Path) -> None:
    async with backend(answer, root) as behind, passing(None, root, tmp_path) as (passed, _):
        passed.way = replace(way_to(behind), port=free_port())
        for _ in range(2):
            with pytest.raises(CLOSED):
                await passed.connect()
        await until(lambda: len(passed.carried) == 2)
        why = "nobody listens there. Check proxy.passthrough.to, and that it runs."
        assert passed.troubles == [f"passthrough: localhost:{passed.way.port}: {why}"]
        assert passed.standings.of(NAME).state == "fails"
        passed.way = way_to(behind)  # as other settings do
        assert b" 200 " in await passed.ask()
        assert [event.sentence for event in passed.events if isinstance(event, Note)] == ["passthrough works again."]


async def test_it_leads_nowhere_when_the_settings_say_so(root: CA, tmp_path: Path) -> None:
    async with passing(None, root, tmp_path) as (passed, _):
        with pytest.raises(CLOSED):
            await passed.connect()


async def test_a_server_that_has_only_an_ipv6_address_is_reached(root: CA, tmp_path: Path) -> None:
    async with (
        backend(answer, root, host="::1") as behind,
        passing(way_to(behind, host="::1"), root, tmp_path) as (passed, _),
    ):
        assert b" 200 " in await passed.ask()


async def test_the_server_may_lie_behind_an_http_proxy(root: CA, tmp_path: Path) -> None:
    async with (
        backend(answer, root) as behind,
        http_proxy(behind.port) as (through, seen),
        passing(way_to(behind, through=through), root, tmp_path) as (passed, _),
    ):
        assert b" 200 " in await passed.ask()
    assert seen[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % behind.port)
    assert "secret" not in "".join(map(repr, passed.events))


async def test_at_the_end_what_passes_may_finish(root: CA, tmp_path: Path) -> None:
    go = asyncio.Event()

    async def talk(line: Line) -> None:
        await line.head()
        await go.wait()
        await line.say(b"hello")

    async with backend(talk, root) as behind, passing(way_to(behind), root, tmp_path) as (passed, passthrough):
        reader, writer = await passed.connect()
        writer.write(GET)
        await until(lambda: behind.heads)
        closing: Any = asyncio.ensure_future(passthrough.close(5))
        await asyncio.sleep(0)
        with pytest.raises(CLOSED):
            await passed.connect()
        go.set()
        assert await reader.readexactly(5) == b"hello"
        writer.transport.abort()
        await closing
    assert len(passed.carried) == 1
