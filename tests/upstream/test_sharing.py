"""A question that many have at the same time is asked once, and nobody waits longer than they have."""

import asyncio

import pytest

from nestor.app.clock import SystemClock
from nestor.errors import NestorError, ParentSilent, ParentUnusable
from nestor.upstream.sharing import Shared


class Asked:
    """A question whose answer comes when the test says so."""

    def __init__(self, fault: NestorError | None = None) -> None:
        self.times: list[float] = []
        self.answer = asyncio.Event()
        self._fault = fault

    async def ask(self, within: float) -> None:
        self.times.append(within)
        await self.answer.wait()
        if self._fault:
            raise self._fault


async def _crowd(shared: Shared, asked: Asked) -> list[NestorError | None]:
    async with asyncio.TaskGroup() as group:
        together = [group.create_task(_outcome(shared)) for _ in range(5)]
        await asyncio.sleep(0)
        asked.answer.set()
    return [one.result() for one in together]


async def _outcome(shared: Shared, within: float = 5) -> NestorError | None:
    try:
        await shared.ask(within)
    except NestorError as fault:
        return fault
    return None


async def test_a_crowd_asks_once_and_whoever_comes_later_asks_anew() -> None:
    asked = Asked()
    shared = Shared(asked.ask, SystemClock())
    assert await _crowd(shared, asked) == [None] * 5
    assert len(asked.times) == 1
    await shared.ask(5)
    assert len(asked.times) == 2


async def test_a_crowd_shares_what_went_wrong() -> None:
    asked = Asked(ParentUnusable("It shows another root."))
    assert {type(one) for one in await _crowd(Shared(asked.ask, SystemClock()), asked)} == {ParentUnusable}
    assert len(asked.times) == 1


async def test_whoever_waits_for_the_answer_waits_no_longer_than_they_have() -> None:
    asked = Asked()
    shared = Shared(asked.ask, SystemClock())
    async with asyncio.TaskGroup() as group:
        first = group.create_task(_outcome(shared))
        await asyncio.sleep(0)
        with pytest.raises(ParentSilent):
            await shared.ask(0.02)
        asked.answer.set()
    assert first.result() is None


async def test_where_the_one_that_asks_is_interrupted_the_next_one_asks() -> None:
    asked = Asked()
    shared = Shared(asked.ask, SystemClock())
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(_outcome(shared)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        asked.answer.set()
    assert second.result() is None
    assert len(asked.times) == 2
