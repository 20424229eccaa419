"""A few places for slow work, and a line before them that is fair between addresses."""

import asyncio
from collections.abc import Awaitable

import pytest

from nestor.access.turnstile import Turnstile
from nestor.errors import TooOften


class Crowd:
    """Callers who hold their place until told to leave, and note who came in."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile = turnstile
        self.inside: list[str] = []
        self.leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str, address: str) -> None:
        self.leave[name] = asyncio.Event()
        async with self.turnstile.turn(address):
            self.inside.append(name)
            await self.leave[name].wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_places_are_inside() -> None:
    crowd = Crowd(Turnstile(places=2))
    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(crowd.come(name, "one"))
        await settle()
        assert crowd.inside == ["a", "b"]
        crowd.leave["a"].set()
        await settle()
        assert crowd.inside == ["a", "b", "c"]
        for event in crowd.leave.values():
            event.set()


async def test_a_crowd_from_one_address_does_not_keep_another_address_waiting() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(crowd.come(f"crowd{number}", "one"))
        group.create_task(crowd.come("single", "two"))
        await settle()
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside.index("single") <= 2
    assert len(crowd.inside) == 21


async def test_addresses_take_turns() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come("first", "zero"))
        for name in ("a1", "a2", "b1", "b2", "c1"):
            group.create_task(crowd.come(name, name[0]))
        await settle()
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["first", "a1", "b1", "c1", "a2", "b2"]


async def test_one_who_gives_up_waiting_leaves_no_gap() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come("a", "one"))
        leaver = group.create_task(crowd.come("b", "one"))
        await settle()
        leaver.cancel()
        group.create_task(crowd.come("c", "one"))
        await settle()
        assert [len(line) for line in crowd.turnstile._lines.values()] == [1]
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["a", "c"]
    assert crowd.turnstile._free == 1
    assert not crowd.turnstile._lines


async def test_a_place_given_in_the_moment_of_leaving_is_given_on() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come("a", "one"))
        leaver = group.create_task(crowd.come("b", "one"))
        group.create_task(crowd.come("c", "one"))
        await settle()
        crowd.leave["a"].set()
        await asyncio.sleep(0)  # a leaves, b's turn comes
        leaver.cancel()
        await settle()
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["a", "c"]
    assert crowd.turnstile._free == 1


async def test_a_full_line_refuses_the_crowd_and_admits_the_single_one() -> None:
    crowd = Crowd(Turnstile(places=1, line=3))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_quietly(crowd.come(f"crowd{n}", "one"))) for n in range(4)]
        await settle()
        with pytest.raises(TooOften) as caught:
            await crowd.come("late", "one")
        assert caught.value.retry_after == 5
        single = group.create_task(crowd.come("single", "two"))
        await settle()
        assert isinstance(tasks[3].result(), TooOften)
        for event in crowd.leave.values():
            event.set()
    assert single.exception() is None
    assert "single" in crowd.inside


async def _quietly(work: Awaitable[None]) -> TooOften | None:
    try:
        await work
    except TooOften as error:
        return error
    return None
