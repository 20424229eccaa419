"""What comes from the cloud reaches the module's side one after the other, the newest document alone, bounded."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from nestor.cloud import MethodAnswer
from nestor.edge.desired import Apply
from nestor.edge.handover import Handover
from nestor.edge.told import Called
from nestor.events import Event, Trouble
from support.linked import Writer


class Desk:
    """A handover at work, and everything that can be seen of it."""

    def __init__(self) -> None:
        self.side = Writer()
        self.events: list[Event] = []
        self.answers: list[tuple[str, int]] = []
        self.handover = Handover(self.side, self.events.append, 0.3)

    def call(self, name: str) -> None:
        self.handover.called(Called(None, name, None), self._answered)

    def _answered(self, called: Called, answer: MethodAnswer) -> None:
        self.answers.append((called.name, answer.status))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    running = asyncio.ensure_future(desk.handover.run())
    yield desk
    running.cancel()
    await asyncio.wait([running])


async def test_only_the_newest_document_waits(desk: Desk) -> None:
    desk.side.slowness = 0.02
    for version in range(1000):
        desk.handover.desired(Apply({"v": version}, version))
        if version == 500:
            await asyncio.sleep(0.01)
    await desk.side.until(lambda: desk.side.documents[-1:] == [({"v": 999}, 999)])
    assert [version for _, version in desk.side.documents] == [500, 999]


async def test_what_came_first_is_handed_over_first(desk: Desk) -> None:
    desk.call("a")
    desk.handover.reported({"r": 1})
    desk.handover.desired(Apply({}, 1))
    desk.call("b")
    desk.handover.desired(Apply({}, 2))
    desk.handover.reported({"r": 2})
    await desk.side.until(lambda: desk.answers[-1:] == [("b", 200)])
    assert desk.side.begun == ["a", "reported", "desired", "b"]
    assert desk.side.documents == [({}, 2)]
    assert desk.side.reports == [{"r": 2}]
    assert desk.side.at_once == 1


async def test_a_method_is_answered_in_time_and_once_whatever_it_waits_for(desk: Desk) -> None:
    desk.side.slowness = 0.5
    desk.call("slow")
    desk.call("behind it")
    await desk.side.until(lambda: len(desk.answers) == 2)
    assert desk.answers == [("slow", 504), ("behind it", 504)]
    await asyncio.sleep(0.6)
    assert len(desk.answers) == 2
    assert [name for name, _ in desk.side.calls] == ["slow"]  # nobody waits for the other any more


async def test_more_methods_than_can_wait_are_turned_away(desk: Desk) -> None:
    for number in range(30):
        desk.call(str(number))
    assert [status for _, status in desk.answers] == [429] * 10
    await desk.side.until(lambda: len(desk.answers) == 30)
    assert [status for _, status in desk.answers[10:]] == [200] * 20


async def test_a_bug_in_one_thing_does_not_end_what_comes_after(desk: Desk) -> None:
    def fail(_method: str, _payload: object) -> MethodAnswer:
        raise KeyError("x")

    desk.side.answer = fail
    desk.call("boom")
    desk.handover.desired(Apply({}, 7))
    await desk.side.until(lambda: desk.side.documents == [({}, 7)])
    assert desk.answers == [("boom", 500)]
    (trouble,) = desk.events
    assert isinstance(trouble, Trouble)
    assert trouble.about == "bug"
    assert isinstance(trouble.cause, KeyError)
