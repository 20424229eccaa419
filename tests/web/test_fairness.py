"""Who gives way where there is no more room: whoever keeps us waiting, the crowded networks first, the served never."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

import pytest

from nestor.web.connection import Phase
from support.front import front
from support.visitors import Door

Doors = Callable[[int, int], Door]

_PEERS_TURN = [
    phase for phase in Phase if phase < Phase.CLOSED and phase not in {Phase.WAITING, Phase.BUSY, Phase.CARRIED}
]


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """Opens doors, by their caps in all and per network."""
    opened: list[Door] = []

    def open_door(total: int, per_network: int) -> Door:
        opened.append(Door(total, per_network))
        return opened[-1]

    yield open_door
    for door in opened:
        door.close()


async def test_who_says_nothing_takes_no_place_from_those_who_speak(doors: Doors) -> None:
    door = doors(100, 1)
    silent = [door.come() for _ in range(5)]
    assert not door.enter().waits
    assert all(one.phase is Phase.SILENT for one in silent)
    assert len(door.places) == 6


async def test_the_place_of_one_who_leaves_goes_to_whoever_of_its_network_waited_longest(doors: Doors) -> None:
    door = doors(100, 1)
    first, second, third = (door.enter() for _ in range(3))
    first.abort()
    assert (second.waits, third.waits) == (False, True)
    second.abort()
    assert not third.waits


async def test_who_speaks_for_others_takes_no_place_of_its_address(doors: Doors) -> None:
    door = doors(100, 1)
    forwarder, device, other = (door.enter() for _ in range(3))
    forwarder.trust()
    forwarder.trust()
    assert (device.waits, other.waits, len(door.places)) == (False, True, 3)
    device.abort()
    other.trust()
    assert not door.enter().waits
    forwarder.abort()
    forwarder.trust()
    assert len(door.places) == 2


async def test_who_waits_and_leaves_takes_no_place(doors: Doors) -> None:
    door = doors(100, 1)
    first, second, third = (door.enter() for _ in range(3))
    second.abort()
    assert (second.is_gone, third.waits) == (True, True)
    first.abort()
    assert (third.waits, len(door.places)) == (False, 1)


async def test_the_addresses_of_a_machine_share_its_places(doors: Doors) -> None:
    door = doors(100, 1)
    first, second = door.enter("2001:db8::1"), door.enter("2001:db8::2:1")
    assert (first.waits, second.waits) == (False, True)
    assert not door.enter("2001:db8:0:1::1").waits


@pytest.mark.parametrize("phase", _PEERS_TURN)
async def test_whoever_keeps_us_waiting_goes_first_however_far_it_came(phase: Phase, doors: Doors) -> None:
    door = doors(100, 100)
    door.enter("192.0.2.1", Phase.HANDSHAKE)
    slow = door.enter("192.0.2.2", phase).after(2)
    door.enter("192.0.2.3", Phase.QUIET)
    door.shed()
    assert slow.is_gone
    assert len(door.places) == 2


async def test_who_waits_for_us_does_not_keep_us_waiting(doors: Doors) -> None:
    door = doors(8, 100)
    asking, slow = door.enter("192.0.2.1", Phase.BUSY).after(9), door.enter("192.0.2.2", Phase.HEAD).after(2)
    for _ in range(2):
        door.shed()
    assert (asking.is_gone, slow.is_gone) == (False, True)


async def test_of_those_who_keep_us_waiting_the_most_crowded_network_gives_way_first(doors: Doors) -> None:
    door = doors(32, 100)
    oldest = door.enter("192.0.2.1", Phase.IDLE).after(9)
    crowd = [door.enter("192.0.2.2", Phase.QUIET).after(age) for age in (2, 4, 3)]
    door.shed()
    assert [one.is_gone for one in crowd] == [False, True, False]
    assert not oldest.is_gone


async def test_a_busy_network_does_not_pay_for_the_slowness_of_others(doors: Doors) -> None:
    """Many devices behind one address, all in the midst of a request, and a crowd that has an address for each."""
    door = doors(32, 100)
    plant = [door.enter("192.0.2.1", Phase.HANDSHAKE) for _ in range(20)]
    crowd = [door.enter(f"198.51.100.{number}", Phase.QUIET).after(2) for number in range(12)]
    for _ in crowd:
        door.shed()
    assert all(one.is_gone for one in crowd)
    assert not any(one.is_gone for one in plant)


async def test_nobody_is_hurried_while_somebody_sits_there(doors: Doors) -> None:
    door = doors(8, 100)
    hurried = [door.enter("192.0.2.1", Phase.QUIET).after(0.5) for _ in range(3)]
    sitting = door.enter("192.0.2.2", Phase.QUIET).after(2)
    door.shed()
    assert sitting.is_gone
    assert not any(one.is_gone for one in hurried)


async def test_a_peer_gains_no_time_by_going_on_slowly_and_a_new_request_has_time_of_its_own(doors: Doors) -> None:
    door = doors(8, 100)
    slow = door.enter().after(2)
    for phase in (Phase.QUIET, Phase.HEAD, Phase.BODY):
        assert slow.at(phase).keeps_waiting(door.now)
    slow.at(Phase.IDLE).after(2)
    assert not slow.at(Phase.HEAD).keeps_waiting(door.now)


async def test_a_full_house_gives_up_a_few_at_a_time(doors: Doors) -> None:
    door = doors(320, 100)
    crowd = [door.come().after(2) for _ in range(20)]
    door.shed()
    assert [one.is_gone for one in crowd] == [number < 10 for number in range(20)]


async def test_nobody_gives_way_before_somebody_comes(doors: Doors) -> None:
    door = doors(2, 100)
    first, second = door.come().after(2), door.come("192.0.2.2")
    assert door.has_room()
    assert not first.is_gone
    door.come("192.0.2.3")
    assert (first.is_gone, second.is_gone, len(door.places)) == (True, False, 2)


async def test_where_everybody_is_quick_the_least_quick_goes(doors: Doors) -> None:
    door = doors(3, 100)
    older, newest = door.enter("192.0.2.1", Phase.QUIET).after(0.2), door.enter("192.0.2.2", Phase.QUIET)
    oldest = door.enter("192.0.2.3", Phase.QUIET).after(0.3)
    assert door.has_room()
    door.shed()
    assert [one.is_gone for one in (oldest, older, newest)] == [True, False, False]


async def test_where_nobody_keeps_us_waiting_the_last_in_the_longest_line_goes(doors: Doors) -> None:
    door = doors(5, 1)
    served, first, last = (door.enter() for _ in range(3))
    other, waiting = (door.enter("192.0.2.2") for _ in range(2))
    assert door.has_room()
    door.shed()
    assert last.is_gone
    assert not any(one.is_gone for one in (served, first, other, waiting))


async def test_devices_that_come_all_at_once_are_not_sent_away_for_each_other(doors: Doors) -> None:
    door = doors(8, 100)
    herd = [door.enter(f"192.0.2.{number}", Phase.HANDSHAKE) for number in range(8)]
    assert not door.has_room(), "the others wait in the queue of the kernel"
    door.shed()
    assert not any(one.is_gone for one in herd)


async def test_nobody_pays_for_our_being_late(doors: Doors) -> None:
    """A turn of half a second is as much as four for those who took part in it."""
    line, full = doors(100, 1), doors(2, 1)
    begun, waiting = line.enter().after(2), line.enter()
    held = [full.enter(f"192.0.2.{number}", Phase.QUIET).after(2) for number in range(2)]
    for door in (line, full):
        door.make_way(late=0.5)
        door.make_way()
    assert (begun.is_gone, waiting.waits, full.has_room()) == (False, True, False)
    for one in (begun, *held):
        one.after(2)
    line.make_way()
    assert (begun.is_gone, waiting.waits, full.has_room()) == (True, False, True)


async def test_a_turn_that_took_long_is_not_held_against_those_who_waited_for_it() -> None:
    async with front(connections_per_address=1) as served:
        with ExitStack() as stack:
            for number in range(2):
                plain = stack.enter_context(socket.create_connection(("localhost", served.port)))
                plain.sendall(b"\x16")
                await served.settled(number + 1)
            begun, waiting = served.listener._places.all()
            await asyncio.sleep(0.05)
            time.sleep(1.2)  # noqa: ASYNC251 -- this is what the test is about
            await asyncio.sleep(0.3)
            assert (begun.phase, waiting.phase) == (Phase.HANDSHAKE, Phase.WAITING)


async def test_nobody_is_sent_away_who_is_being_answered(doors: Doors) -> None:
    door = doors(2, 100)
    for _ in range(2):
        door.enter(phase=Phase.BUSY).after(9)
    assert not door.has_room()
    door.shed()
    assert len(door.places) == 2


async def test_a_place_that_was_merely_held_goes_to_whoever_came_last(doors: Doors) -> None:
    door = doors(100, 2)
    held, quick = door.enter(phase=Phase.QUIET).after(2), door.enter(phase=Phase.HEAD)
    first, last = door.enter(), door.enter()
    door.make_way()
    assert [one.is_gone for one in (held, quick)] == [True, False]
    assert [one.waits for one in (first, last)] == [True, False]


async def test_the_place_of_an_idle_connection_goes_to_whoever_waited_longest(doors: Doors) -> None:
    door = doors(100, 2)
    idle, elsewhere = door.enter(phase=Phase.IDLE), door.enter("192.0.2.2", Phase.IDLE)
    door.enter(phase=Phase.BUSY)
    first, last = door.enter(), door.enter()
    door.make_way()
    assert [one.is_gone for one in (idle, elsewhere)] == [True, False]
    assert [one.waits for one in (first, last)] == [False, True]


async def test_nobody_makes_way_for_nobody(doors: Doors) -> None:
    door = doors(100, 2)
    held = [door.enter(phase=Phase.IDLE).after(9), door.enter(phase=Phase.HEAD).after(9)]
    door.make_way()
    assert not any(one.is_gone for one in held)


async def test_everybody_who_left_is_forgotten(doors: Doors) -> None:
    door = doors(100, 2)
    for number in range(20):
        door.enter(f"192.0.2.{number % 5}")
        door.come(f"192.0.2.{number % 5}")
    door.close()
    assert len(door.places) == 0
    assert (door.places._begun, door.places._lines, dict(door.places._held)) == ({}, {}, {})
