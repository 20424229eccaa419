import asyncio
import time

import pytest

from nestor.access.slow_lane import SlowLane
from nestor.errors import TooOften


async def through(lane: SlowLane, network: str, user: str) -> bool:
    """Whether somebody gets through."""
    try:
        async with lane.turn(network, user):
            return True
    except TooOften as error:
        return error.retry_after <= 0


async def test_each_pays_with_time() -> None:
    started = time.monotonic()
    assert await through(SlowLane(pause=0.1), "a", "dev1")
    assert time.monotonic() - started >= 0.1


async def test_one_at_a_time_of_the_same_network_and_user_and_the_next_when_it_has_left() -> None:
    lane = SlowLane(pause=0.05)
    assert sum(await asyncio.gather(*(through(lane, "a", "dev1") for _ in range(9)))) == 1
    assert await through(lane, "a", "dev1")


@pytest.mark.parametrize(("networks", "passed"), [(1, 2), (2, 4), (9, 5)])
async def test_it_is_bounded_by_network_and_in_all(networks: int, passed: int) -> None:
    lane = SlowLane(pause=0.05, places=5, of_one_network=2)
    tries = [through(lane, f"network{number % networks}", f"dev{number}") for number in range(90)]
    assert sum(await asyncio.gather(*tries)) == passed


async def test_who_gives_up_leaves_the_place() -> None:
    lane = SlowLane(pause=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await through(lane, "a", "dev1")
    assert not lane._inside
