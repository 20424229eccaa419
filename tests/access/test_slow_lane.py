"""What is asked of guesses: in turn, one at a time, and never before those who are in earnest."""

import asyncio
import time
from itertools import pairwise

import pytest

from nestor.access.slow_lane import SlowLane
from nestor.errors import TooOften

PAUSE = 0.1


async def through(lane: SlowLane, network: str, user: str) -> float:
    """When somebody got through."""
    async with lane.turn(network, user):
        return time.monotonic()


async def passed(lane: SlowLane, networks: int, seconds: float) -> int:
    """How many of ninety, all of other names, get through in a time."""
    tries = [asyncio.ensure_future(through(lane, f"net{number % networks}", f"dev{number}")) for number in range(90)]
    await asyncio.sleep(seconds)
    done = sum(task.done() for task in tries)
    for task in tries:
        task.cancel()
    await asyncio.gather(*tries, return_exceptions=True)
    assert not lane._inside
    assert not lane._waiting
    return done


async def test_each_pays_with_time() -> None:
    started = time.monotonic()
    assert await through(SlowLane(pause=PAUSE), "a", "dev1") - started >= PAUSE


async def test_one_at_a_time_of_the_same_network_and_user_gets_through() -> None:
    lane = SlowLane(pause=PAUSE)
    moments = sorted(await asyncio.gather(*(through(lane, "a", "dev1") for _ in range(4))))
    assert all(later - earlier >= PAUSE for earlier, later in pairwise(moments))


@pytest.mark.parametrize(("networks", "most"), [(1, 2), (2, 4), (9, 5)])
async def test_it_is_narrow_for_one_network_and_for_all(networks: int, most: int) -> None:
    lane = SlowLane(pause=PAUSE, places=5, of_one_network=2)
    assert await passed(lane, networks, 1.5 * PAUSE) == most


async def test_where_too_many_wait_the_next_one_is_told_to_come_again() -> None:
    lane = SlowLane(pause=PAUSE, line=2)
    tries = [asyncio.ensure_future(through(lane, "a", "dev1")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooOften) as caught:
        await through(lane, "b", "dev2")
    assert caught.value.retry_after == 5
    await asyncio.gather(*tries)


async def test_who_gives_up_leaves_nothing() -> None:
    lane = SlowLane(pause=60)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.gather(through(lane, "a", "dev1"), through(lane, "a", "dev1"))
    assert not lane._inside
    assert not lane._waiting
