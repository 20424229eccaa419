"""The caps of a port, with real clients: who is served when all places are taken, and who makes way."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from aiohttp import web

from nestor.web.connection import Phase
from nestor.web.transport import TLSTransport
from support.front import Front, front, greet
from support.wire import GET

_PATIENT: dict[str, Any] = {"handshake": 60, "head": 60, "wait": 60, "request": 60, "idle": 60}


def _knock(served: Front, stack: ExitStack) -> socket.socket:
    """Connect and say nothing."""
    return stack.enter_context(socket.create_connection(("localhost", served.port), 5))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def _is_sent_away(client: socket.socket) -> bool:
    """Whether the server closes a connection soon."""
    client.setblocking(False)
    try:
        async with asyncio.timeout(2):
            return await asyncio.get_running_loop().sock_recv(client, 1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def _greeted(served: Front, client: socket.socket) -> bool:
    """Whether a client that has said nothing yet is served."""
    client.settimeout(5)
    with served.tls().wrap_socket(client, server_hostname="localhost") as session:
        session.sendall(GET)
        return session.recv(4096).startswith(b"HTTP/1.1 200")


async def test_never_more_connections_are_open_than_may_be(stack: ExitStack) -> None:
    async with front(connections=5, **_PATIENT) as served:
        clients = [_knock(served, stack) for _ in range(12)]
        await served.settled(5)
        for client in clients[:7]:
            assert await _is_sent_away(client), "the oldest of those who say nothing give way"
        assert served.listener.connections == 5
        assert await served.get() == "hello"


async def test_where_everybody_is_being_answered_a_newcomer_waits_for_the_first_who_leaves() -> None:
    let_go, busy = asyncio.Event(), asyncio.Semaphore(0)

    async def slowly(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
        transport.request_complete()
        busy.release()
        await let_go.wait()
        return await greet(request, transport)

    async with front(slowly, connections=2, **_PATIENT) as served:
        first, second = (asyncio.ensure_future(served.get()) for _ in range(2))
        for _ in range(2):
            await busy.acquire()
        third = asyncio.ensure_future(served.get())
        await asyncio.sleep(0.3)
        assert served.listener.connections == 2
        assert not third.done()
        let_go.set()
        assert [await one for one in (first, second, third)] == ["hello"] * 3


async def test_above_the_cap_of_its_network_a_client_waits_and_is_served_in_turn() -> None:
    let_go, busy = asyncio.Event(), asyncio.Semaphore(0)

    async def slowly(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
        transport.request_complete()
        busy.release()
        await let_go.wait()
        return await greet(request, transport)

    async with front(slowly, connections_per_address=2, **_PATIENT) as served:
        first, second = (asyncio.ensure_future(served.get()) for _ in range(2))
        for _ in range(2):
            await busy.acquire()
        waiting = asyncio.ensure_future(served.get())
        await served.settled(3)
        await asyncio.sleep(0.3)
        phases = [one.phase for one in served.listener._places.all()]
        assert (phases, waiting.done()) == ([Phase.BUSY, Phase.BUSY, Phase.WAITING], False)
        let_go.set()
        assert [await one for one in (first, second, waiting)] == ["hello"] * 3


async def test_an_idle_connection_makes_way_for_one_of_its_address_that_waits() -> None:
    async with front(connections_per_address=1, **_PATIENT) as served:
        reader, writer = await served.connect()
        writer.write(GET)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        async with asyncio.timeout(3):
            assert await served.get() == "hello"
            assert await reader.read() == b""
        writer.close()


@contextmanager
def _no_descriptor_left() -> Iterator[None]:
    """Nothing more can be opened in this process, unless something else is closed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(0)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_where_descriptors_run_out_somebody_makes_way_and_the_port_lives_on(stack: ExitStack) -> None:
    async with front(**_PATIENT) as served:
        silent = _knock(served, stack)
        await served.settled(1)
        newcomer = _knock(served, stack)
        with _no_descriptor_left():
            assert await _is_sent_away(silent)
            await served.settled(1)
        assert await asyncio.to_thread(_greeted, served, newcomer)
        assert await served.get() == "hello"


async def test_who_has_just_come_is_served_before_a_stop(stack: ExitStack) -> None:
    async with front(**_PATIENT) as served:
        accepted = _knock(served, stack)
        await served.settled(1)
        in_the_queue = _knock(served, stack)
        stopping = asyncio.ensure_future(served.listener.drain(5))
        greeted = await asyncio.gather(*(asyncio.to_thread(_greeted, served, one) for one in (accepted, in_the_queue)))
        assert greeted == [True, True]
        await stopping


async def test_a_stop_does_not_wait_for_those_who_say_nothing(stack: ExitStack) -> None:
    async with front(**_PATIENT) as served:
        for _ in range(3):
            _knock(served, stack)
        await served.settled(3)
        async with asyncio.timeout(4):
            await served.listener.drain(60)
        assert served.told == []


async def test_a_port_that_is_given_back_is_free_and_its_connections_go_on() -> None:
    async with front(**_PATIENT) as served:
        port = served.port
        reader, writer = await served.connect()
        served.listener.stop_accepting()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        writer.write(GET)
        assert await reader.readuntil(b"hello")
        writer.close()
