"""Who is served, who waits, who gives way: connections on real sockets, with nothing said on them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from nestor.web.connection import Connection, Phase, Service
from nestor.web.places import Places
from support.front import context_of, limits_of
from support.pki import authority

_CONTEXT = context_of(authority(), client_anchors=[])
_FURTHEST_FROM_A_REQUEST_FIRST = (Phase.LINGERING, Phase.HANDSHAKE, Phase.QUIET, Phase.HEAD, Phase.IDLE)


class Visitor(Connection):
    """A connection that is wherever the test says."""

    __slots__ = ()

    def begin(self) -> None:
        self.at(Phase.HANDSHAKE)

    def at(self, phase: Phase) -> "Visitor":
        self._enter(phase, timedelta(seconds=60))
        return self

    @property
    def waits(self) -> bool:
        return self.phase is Phase.WAITING

    @property
    def is_gone(self) -> bool:
        return self.phase is Phase.CLOSED


class Door:
    """Lets visitors in; at the end they all leave."""

    def __init__(self, total: int, per_address: int) -> None:
        loop = asyncio.get_running_loop()
        self.places = Places(total, per_address)
        self._service = Service(loop, limits_of(), lambda: _CONTEXT, asyncio.Protocol, lambda *_: None)
        self._ends: list[socket.socket] = []

    def enter(self, address: str = "192.0.2.1", phase: Phase | None = None) -> Visitor:
        here, there = socket.socketpair()
        self._ends.append(there)
        visitor = Visitor(self._service, here, address, self.places.leave)
        self.places.arrive(visitor)
        return visitor if phase is None else visitor.at(phase)

    def close(self) -> None:
        for visitor in self.places.all():
            visitor.abort()
        for end in self._ends:
            end.close()


Doors = Callable[[int, int], Door]


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """Opens doors, by their caps in all and per address."""
    opened: list[Door] = []

    def open_door(total: int, per_address: int) -> Door:
        opened.append(Door(total, per_address))
        return opened[-1]

    yield open_door
    for door in opened:
        door.close()


async def test_up_to_the_cap_of_an_address_visitors_begin_and_then_they_wait(doors: Doors) -> None:
    door = doors(100, 2)
    visitors = [door.enter() for _ in range(4)]
    assert [one.waits for one in visitors] == [False, False, True, True]
    assert not door.enter("192.0.2.2").waits, "the cap is one of its address"
    assert len(door.places) == 5


async def test_the_place_of_one_who_leaves_goes_to_whoever_of_the_address_waited_longest(doors: Doors) -> None:
    door = doors(100, 1)
    first, second, third = (door.enter() for _ in range(3))
    first.abort()
    assert (second.waits, third.waits) == (False, True)
    second.abort()
    assert not third.waits


async def test_who_waits_and_leaves_takes_no_place(doors: Doors) -> None:
    door = doors(100, 1)
    first, second, third = (door.enter() for _ in range(3))
    second.abort()
    assert (second.is_gone, third.waits) == (True, True)
    first.abort()
    assert (third.waits, len(door.places)) == (False, 1)


@pytest.mark.parametrize("phase", _FURTHEST_FROM_A_REQUEST_FIRST)
async def test_above_the_cap_in_all_somebody_who_is_not_served_gives_way(phase: Phase, doors: Doors) -> None:
    door = doors(3, 100)
    kept, asked = door.enter(phase=Phase.BUSY), door.enter(phase=phase)
    door.enter(phase=Phase.BUSY)
    assert door.places.has_room()
    door.enter("192.0.2.2")
    assert (kept.is_gone, asked.is_gone, len(door.places)) == (False, True, 3)


async def test_who_is_furthest_from_a_request_gives_way_first_and_of_those_the_oldest(doors: Doors) -> None:
    door = doors(10, 100)
    pairs = {phase: [door.enter(phase=phase) for _ in range(2)] for phase in reversed(_FURTHEST_FROM_A_REQUEST_FIRST)}
    in_turn = [one for phase in _FURTHEST_FROM_A_REQUEST_FIRST for one in pairs[phase]]
    for turn in range(10):
        assert [one.is_gone for one in in_turn] == [number < turn for number in range(10)]
        door.enter("192.0.2.2", Phase.BUSY)
    assert not door.places.has_room(), "nobody who is being answered gives way"


async def test_of_those_who_wait_the_last_of_the_longest_queue_gives_way_before_anybody_else(doors: Doors) -> None:
    door = doors(6, 1)
    served, first, last = (door.enter() for _ in range(3))
    other, waiting = door.enter("192.0.2.2"), door.enter("192.0.2.2")
    door.enter("192.0.2.3")
    newcomer = door.enter("192.0.2.4")
    assert last.is_gone
    assert not any(one.is_gone for one in (served, first, other, waiting, newcomer))
    assert len(door.places) == 6


async def test_where_everybody_is_being_answered_there_is_no_room(doors: Doors) -> None:
    door = doors(2, 100)
    first, _ = door.enter(phase=Phase.BUSY), door.enter(phase=Phase.BUSY)
    assert not door.places.has_room()
    door.places.shed()
    assert len(door.places) == 2
    first.abort()
    assert door.places.has_room()


async def test_for_each_one_who_waits_an_idle_one_of_its_address_is_closed(doors: Doors) -> None:
    door = doors(100, 3)
    elsewhere = door.enter("192.0.2.2", Phase.IDLE)
    oldest, older, busy = door.enter(phase=Phase.IDLE), door.enter(phase=Phase.IDLE), door.enter(phase=Phase.BUSY)
    door.places.make_way()
    assert len(door.places) == 4, "nobody waits"
    waiting = door.enter()
    door.places.make_way()
    assert (oldest.is_gone, waiting.waits) == (True, False)
    assert not any(one.is_gone for one in (older, busy, elsewhere))


async def test_everybody_who_left_is_forgotten(doors: Doors) -> None:
    door = doors(100, 2)
    for visitor in [door.enter(f"192.0.2.{number % 5}") for number in range(20)]:
        visitor.abort()
    assert (len(door.places), door.places.all()) == (0, [])
    assert not door.places._begun
    assert not door.places._waiting
