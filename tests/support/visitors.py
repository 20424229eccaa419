"""Connections on real sockets that are wherever a test says, and the places that they take."""

import asyncio
import socket
from datetime import timedelta

from nestor.web.connection import Connection, Phase, Service
from nestor.web.places import Places
from support.front import context_of, limits_of
from support.pki import authority

_CONTEXT = context_of(authority(), client_anchors=[])


class Visitor(Connection):
    """A connection on which nothing is said."""

    __slots__ = ()

    def begin(self) -> None:
        """Take a place."""
        self.at(Phase.HANDSHAKE)

    def at(self, phase: Phase) -> "Visitor":
        """Go on to a phase."""
        self._enter(phase, timedelta(seconds=60))
        return self

    def after(self, seconds: float) -> "Visitor":
        """Have been left to itself so much longer."""
        self.since -= seconds
        return self

    @property
    def waits(self) -> bool:
        """Whether it stands in line."""
        return self.phase is Phase.WAITING

    @property
    def is_gone(self) -> bool:
        """Whether it was sent away."""
        return self.phase is Phase.CLOSED


class Door:
    """Lets visitors in; at the end they all leave."""

    def __init__(self, total: int, per_network: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.places = Places(total, per_network)
        self._service = Service(self._loop, limits_of(), lambda: _CONTEXT, asyncio.Protocol, lambda *_: None)
        self._ends: list[socket.socket] = []

    @property
    def now(self) -> float:
        """The time, as connections tell it."""
        return self._loop.time()

    def come(self, address: str = "192.0.2.1") -> Visitor:
        """Somebody who has not said a word."""
        here, there = socket.socketpair()
        self._ends.append(there)
        visitor = Visitor(
            self._service, here, address, spoke=self.places.speak, left=self.places.leave, trusted=self.places.excuse
        )
        self.places.arrive(visitor)
        return visitor

    def enter(self, address: str = "192.0.2.1", phase: Phase | None = None) -> Visitor:
        """Somebody who has spoken, and got to a phase if told so."""
        visitor = self.come(address)
        self.places.speak(visitor)
        return visitor if phase is None else visitor.at(phase)

    def has_room(self) -> bool:
        """Whether one more can come."""
        return self.places.has_room(self.now)

    def shed(self) -> None:
        """Have somebody give way."""
        self.places.shed(self.now)

    def make_way(self, late: float = 0.0) -> None:
        """Have those give way for whom others of their network wait, so many seconds late."""
        self.places.make_way(self.now, late)

    def close(self) -> None:
        """Send everybody away."""
        for visitor in self.places.all():
            visitor.abort()
        for end in self._ends:
            end.close()
