"""TLS that ends at one server above and not here, passed on byte by byte, so that proofs hold from end to end.

A request that is linked to its TLS session (RFC 7030, 3.5) is so to that server's. This layer sees who comes and how
much passes; it reads nothing and checks nothing.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from nestor.events import Carried, Event, Note, Trouble
from nestor.naming import network_of
from nestor.ports import Clock
from nestor.proxy.dialing import Through, authority_of, reach
from nestor.proxy.line import Lost, lost
from nestor.proxy.settings import PassthroughSettings
from nestor.proxy.standing import Standings

NAME = "passthrough"
"""What it goes by among the routes."""

_WHERE = "proxy.passthrough"

_PORTION = 16 * 1024
_HANDSHAKE = b"\x16"
"""How a client begins that speaks TLS (RFC 8446, 5.1)."""

_PAUSE = 0.1
_TOLD_AGAIN = 60.0
"""Seconds until it is told again that it is full: who comes and goes at that limit would fill the log."""

_PASSED = 200
"""The status of a connection that reached the server: there is no other that could be seen."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where it leads to, and within which limits."""

    host: str
    port: int
    limits: PassthroughSettings
    through: Through | None = None


@dataclass(slots=True)
class _Passing:
    """One connection, and how many bytes went up and came down."""

    here: socket.socket
    address: str
    way: Way
    reached: bool = False
    sent: int = 0
    received: int = 0


class Passthrough:
    """What passes through this process, to wherever `way` says at the moment."""

    def __init__(
        self, clock: Clock, standings: Standings, tell: Callable[[Event], None], way: Callable[[], Way | None]
    ) -> None:
        self._clock = clock
        self._standings = standings
        self._tell = tell
        self._way = way
        self._listening: list[socket.socket] = []
        self._accepting: list[asyncio.Future[None]] = []
        self._passing: set[asyncio.Future[None]] = set()
        self._held: Counter[str] = Counter()
        self._told_full: float | None = None

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Take connections from these sockets."""
        self._listening = list(sockets)
        self._accepting = [asyncio.ensure_future(self._accept(one)) for one in sockets]

    async def close(self, seconds: float) -> None:
        """Take no more; let those that pass finish, for so many seconds."""
        await _end(self._accepting)
        for one in self._listening:
            one.close()
        if self._passing:
            await asyncio.wait(self._passing, timeout=seconds)
        await _end(self._passing)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, place = await loop.sock_accept(listening)
            except OSError:  # that one has left already, or there are no descriptors
                await asyncio.sleep(_PAUSE)
                continue
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._welcome(accepted, place[0])

    def _welcome(self, accepted: socket.socket, address: str) -> None:
        way, network = self._way(), network_of(address)
        if way is None or not self._has_room(way.limits, network):
            accepted.close()
            return
        self._held[network] += 1
        task = asyncio.ensure_future(self._serve(_Passing(accepted, address, way)))
        self._passing.add(task)
        task.add_done_callback(lambda _: self._leave(task, network))

    def _has_room(self, limits: PassthroughSettings, network: str) -> bool:
        full = self._held.total() >= limits.connections or self._held[network] >= limits.connections_per_address
        now = self._clock.monotonic()
        if full and (self._told_full is None or now >= self._told_full + _TOLD_AGAIN):
            self._told_full = now
            self._tell(Trouble("route", f"{NAME}: as many connections pass as may, others are closed."))
        return not full

    def _leave(self, task: "asyncio.Future[None]", network: str) -> None:
        self._passing.discard(task)
        self._held[network] -= 1
        if not self._held[network]:
            del self._held[network]

    async def _serve(self, one: _Passing) -> None:
        begun = self._clock.monotonic()
        try:
            with closing(one.here):
                await self._pass(one)
        except* OSError:  # one of both has gone, or was silent for too long
            pass
        finally:
            seconds = self._clock.monotonic() - begun
            standing = self._standings.of(NAME)
            standing.requests += 1
            standing.carried += one.sent + one.received
            status = _PASSED if one.reached else 0
            self._tell(Carried(NAME, one.address, "TLS", status, seconds, one.sent, one.received, ""))

    async def _pass(self, one: _Passing) -> None:
        loop, limits = asyncio.get_running_loop(), one.way.limits
        async with asyncio.timeout(limits.connect.total_seconds()):
            hello = await loop.sock_recv(one.here, _PORTION)
        if not hello.startswith(_HANDSHAKE):
            return
        there = await self._reach(one)
        if there is None:
            return
        with closing(there):
            one.sent = len(hello)
            await loop.sock_sendall(there, hello)
            idle = limits.idle.total_seconds()
            async with asyncio.timeout(idle) as patience, asyncio.TaskGroup() as ways:

                def passed(sent: int = 0, received: int = 0) -> None:
                    one.sent += sent
                    one.received += received
                    patience.reschedule(loop.time() + idle)

                ways.create_task(_pour(one.here, there, lambda size: passed(sent=size)))
                ways.create_task(_pour(there, one.here, lambda size: passed(received=size)))

    async def _reach(self, one: _Passing) -> socket.socket | None:
        """A connection to the server; None where there is none, which is told once."""
        way, begun = one.way, self._clock.monotonic()
        try:
            async with asyncio.timeout(way.limits.connect.total_seconds()):
                there = await reach(way.host, way.port, way.through)
        except TimeoutError:
            why = "it does not answer in time"
        except OSError as error:
            why = lost(error).told(_WHERE)
        except Lost as reason:
            why = reason.told(_WHERE)
        else:
            one.reached = True
            if self._standings.answered(NAME, self._clock.monotonic() - begun):
                self._tell(Note("route", f"{NAME} works again."))
            return there
        if self._standings.failed(NAME, why):
            self._tell(Trouble("route", f"{NAME}: {authority_of(way.host, way.port)}: {why}."))
        return None


async def _pour(source: socket.socket, sink: socket.socket, passed: Callable[[int], None]) -> None:
    """Hand on what comes, and that no more comes; who does not take makes who sends wait."""
    loop, room = asyncio.get_running_loop(), memoryview(bytearray(_PORTION))
    while size := await loop.sock_recv_into(source, room):
        passed(size)
        await loop.sock_sendall(sink, room[:size])
    sink.shutdown(socket.SHUT_WR)


async def _end(tasks: "Sequence[asyncio.Future[None]] | set[asyncio.Future[None]]") -> None:
    for one in tuple(tasks):
        one.cancel()
    await asyncio.gather(*tuple(tasks), return_exceptions=True)
