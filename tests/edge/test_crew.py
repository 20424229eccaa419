"""Threads for calls that may never return: they are given up in time, counted, and what comes late is not forgotten."""

import asyncio
import threading
import time

import pytest

from nestor.edge.crew import Crew, Lane, Overdue
from nestor.errors import Unavailable
from support.linked import until


async def test_a_call_happens_on_another_thread_that_is_a_daemon() -> None:
    thread = await Crew().call(5, threading.current_thread)
    assert thread is not threading.current_thread()
    assert thread.daemon


async def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        await Crew().call(5, lambda: 1 // 0)


async def test_a_time_out_of_the_call_itself_is_not_taken_for_ours() -> None:
    def fail() -> None:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        await Crew().call(5, fail)


async def test_a_call_that_hangs_is_given_up_and_counted_until_it_ends() -> None:
    crew, go_on = Crew(), threading.Event()
    begun = time.monotonic()
    with pytest.raises(Overdue, match=r"within 0\.1 s"):
        await crew.call(0.1, go_on.wait)
    assert time.monotonic() - begun < 0.5
    assert crew.overdue == 1
    go_on.set()
    await until(lambda: crew.overdue == 0)


async def test_no_more_calls_are_made_when_too_many_hang() -> None:
    crew, go_on = Crew(most=2), threading.Event()
    for _ in range(2):
        with pytest.raises(Overdue):
            await crew.call(0.01, go_on.wait)
    with pytest.raises(Unavailable, match="2 calls"):
        await crew.call(5, int)
    go_on.set()
    await until(lambda: crew.overdue == 0)
    assert await crew.call(5, int) == 0


async def test_what_comes_too_late_is_taken_care_of() -> None:
    crew, go_on = Crew(), threading.Event()
    late: list[str] = []
    with pytest.raises(Overdue):
        await crew.call(0.05, lambda: "client" if go_on.wait(5) else "", late=late.append)
    go_on.set()
    await until(lambda: late == ["client"])


async def test_what_comes_after_a_caller_was_cancelled_is_taken_care_of_too() -> None:
    crew, go_on = Crew(), threading.Event()
    late: list[bool] = []
    calling = asyncio.ensure_future(crew.call(5, go_on.wait, late=late.append))
    await asyncio.sleep(0.02)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    go_on.set()
    await until(lambda: late == [True])


def test_a_lane_does_one_thing_after_the_other() -> None:
    lane, done = Lane("lane"), []
    futures = [lane.submit(done.append, number) for number in range(100)]
    for future in futures:
        future.result(5)
    assert done == list(range(100))
    with pytest.raises(ZeroDivisionError):
        lane.submit(lambda: 1 // 0).result(5)
    lane.abandon()


def test_a_lane_that_is_given_up_frees_all_who_wait_and_its_thread_ends_when_it_can() -> None:
    lane, go_on, done = Lane("a lane"), threading.Event(), []
    hung, waiting = lane.submit(go_on.wait), lane.submit(done.append, 1)
    lane.abandon()
    for future in (hung, waiting):
        with pytest.raises(Overdue):
            future.result(5)
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "a lane":
            thread.join(5)
            assert not thread.is_alive()
    assert done == []
