"""SIGTERM (R14): it ends within eight seconds with exit code 0, whatever is under way; nothing answered is lost."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from nestor.events import Answered
from nestor.registrar.desk import Registrar
from nestor.web.listener import Listener
from nestor.web.settings import ListenerSettings
from nestor.web.site import Site
from nestor.web.tls import server_context
from nestor.web.transport import TLSTransport
from support.device import PKCS10, Device
from support.load import Load
from support.pki import authority
from support.plants import Plant
from support.plants import plant as plant_at
from support.process import wait_for
from support.survival import Received, violations

pytestmark = pytest.mark.xdist_group("stop")

LIMIT = 8.0
ROUNDS = 5
STOPPING = "stopping:"


def _stop_under_load(place: Plant, after: float) -> list[Received]:
    server = place.server
    server.start()
    with Load(place.line, workers=6) as load:
        load.wait_for(10)
        time.sleep(after)
        server.signal(signal.SIGTERM)
        assert server.wait(LIMIT) == 0
    assert {answer.status for answer in load.refused} <= {503}
    assert "Traceback" not in server.log()
    return load.received


def test_a_stop_under_load_is_quick_clean_and_loses_nothing(tmp_path: Path) -> None:
    place = plant_at(tmp_path)
    received = [one for turn in range(ROUNDS) for one in _stop_under_load(place, turn * 0.05)]
    assert len(received) >= 10 * ROUNDS
    assert violations(place.server.ledger, received) == []


def _hang(device: Device, stack: ExitStack) -> socket.socket:
    """A connection on which half a body was sent."""
    connection = device.connect()
    connection.connect()
    stack.callback(connection.close)
    head = f"POST {device.path('simpleenroll')} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PKCS10}\r\n"
    connection.sock.sendall(f"{head}Content-Length: 1000\r\n\r\nMII".encode())
    return connection.sock


def test_a_stop_does_not_wait_for_bodies_that_hang(plant: Plant) -> None:
    server = plant.server
    with ExitStack() as stack:
        hung = [_hang(plant.line, stack) for _ in range(50)]
        assert len(hung) == 50
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait(LIMIT) == 0
        assert time.monotonic() - start < LIMIT
    assert "Traceback" not in server.log()


class _Untimely(asyncio.Protocol):
    """The HTTP side of a connection that is told to end when its request has arrived, but has not been looked at."""

    def __init__(self, inner: asyncio.Protocol, end: Callable[[TLSTransport], None]) -> None:
        self._inner = inner
        self._end = end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, TLSTransport)
        self._transport = transport
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)
        asyncio.get_running_loop().call_soon(self._end, self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)


class _Healthy:
    """A house that is asked for nothing but its health."""

    chain_order = False

    @property
    def registrar(self) -> Registrar:
        raise AssertionError

    def problems(self) -> dict[str, str]:
        raise AssertionError

    def failures(self) -> dict[str, str]:
        return {}


@asynccontextmanager
async def _ended_early(place: Path, end: Callable[[TLSTransport], None]) -> AsyncIterator[Device]:
    """A device of a site whose connections are told to end too early; all of it has to end in time, and untroubled."""
    ca = authority()
    shown = ca.issue("localhost", alternative_names=["localhost"], client=False, server=True)
    context = server_context(chain=(shown.certificate,), key=shown.key, client_anchors=(ca.certificate,))
    settings = ListenerSettings.model_validate({"port": 0})
    told: list[object] = []

    http = web.Server(Site(_Healthy, settings.limits, told.append).handle)
    listener = Listener(
        settings, context=lambda: context, protocol=lambda: _Untimely(http(), end), failed=lambda *_: None
    )
    await listener.start()
    yield Device(listener.addresses[0][1], ca.write(place))
    start = time.monotonic()
    await listener.drain(LIMIT)
    assert time.monotonic() - start < 2
    await http.shutdown(0.1)
    assert [event for event in told if not isinstance(event, Answered)] == []


async def test_a_request_that_arrives_as_the_end_begins_is_answered(tmp_path: Path) -> None:
    async with _ended_early(tmp_path, TLSTransport.finish) as device:
        answer = await asyncio.to_thread(device.ask, "GET", "/healthz")
    assert answer.status == 200


async def test_a_request_whose_connection_was_closed_before_it_was_looked_at_is_left_alone(tmp_path: Path) -> None:
    async with _ended_early(tmp_path, TLSTransport.close) as device:
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(device.ask, "GET", "/healthz")


def test_idle_connections_are_closed_at_once(plant: Plant) -> None:
    connection = plant.line.connect()
    connection.connect()
    start = time.monotonic()
    plant.server.signal(signal.SIGTERM)
    assert connection.sock.recv(1) == b""
    assert time.monotonic() - start < 1
    assert plant.server.wait(LIMIT) == 0
    connection.close()


def _seconds_after_a_second_signal(place: Plant) -> float:
    """How long a server with a body that hangs goes on after it was told twice."""
    server = place.server
    server.start()
    with ExitStack() as stack:
        _hang(place.line, stack)
        before = server.log().count(STOPPING)
        server.signal(signal.SIGTERM)
        wait_for(lambda: server.log().count(STOPPING) > before, 2)
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait(LIMIT) == 0
    return time.monotonic() - start


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    place = plant_at(tmp_path)
    # A busy machine may delay the end of a process; it does not do so each time.
    assert any(_seconds_after_a_second_signal(place) < 1.5 for _ in range(3))
