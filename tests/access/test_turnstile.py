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
        self.doubts: dict[str, int] = {}
        self.leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str, address: str, doubt: int = 0) -> None:
        self.leave[name] = asyncio.Event()
        self.doubts[name] = doubt
        async with self.turnstile.turn(address, lambda: self.doubts[name]):
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
        assert len(crowd.turnstile._waiting) == 1
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["a", "c"]
    assert crowd.turnstile._free == 1
    assert (crowd.turnstile._waiting, crowd.turnstile._turns) == ([], {})


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


async def test_who_gives_up_in_the_moment_of_its_turn_is_passed_over() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come("a", "one"))
        leaver = group.create_task(crowd.come("b", "one"))
        group.create_task(crowd.come("c", "one"))
        await settle()
        crowd.leave["a"].set()
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


async def test_who_is_less_doubted_goes_first_whoever_came_before() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come("first", "zero"))
        for name, doubt in (("b2", 2), ("a1", 1), ("c0", 0), ("d1", 1), ("e0", 0)):
            group.create_task(crowd.come(name, name, doubt))
        await settle()
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["first", "c0", "e0", "a1", "d1", "b2"]


async def test_doubt_that_grows_while_somebody_waits_counts() -> None:
    crowd = Crowd(Turnstile(places=1))
    async with asyncio.TaskGroup() as group:
        for name in ("first", "guess", "good"):
            group.create_task(crowd.come(name, name))
        await settle()
        crowd.doubts["guess"] = 1
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["first", "good", "guess"]


async def test_a_full_line_of_doubted_ones_makes_room_for_others() -> None:
    """A thousand networks that guess do not keep out the one that has never failed."""
    crowd = Crowd(Turnstile(places=1, line=3))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_quietly(crowd.come(f"guess{n}", f"network{n}", 1))) for n in range(4)]
        await settle()
        with pytest.raises(TooOften):
            await crowd.come("one more", "network", 1)
        with pytest.raises(TooOften):
            await crowd.come("worse", "network", 2)
        for number in range(3):
            group.create_task(crowd.come(f"good{number}", f"clean{number}"))
        await settle()
        assert sum(isinstance(task.result(), TooOften) for task in tasks if task.done()) == 3
        with pytest.raises(TooOften):
            await crowd.come("late", "clean")
        for event in crowd.leave.values():
            event.set()
    assert crowd.inside == ["guess0", "good0", "good1", "good2"]
    assert crowd.turnstile._free == 1
    assert (crowd.turnstile._waiting, crowd.turnstile._turns) == ([], {})


async def _quietly(work: Awaitable[None]) -> TooOften | None:
    try:
        await work
    except TooOften as error:
        return error
    return None
