"""Jobs: due every so often, told when they fail, due again all the same."""

import asyncio
from datetime import timedelta

import pytest

from nestor.errors import CannotGoOn, CannotIssue
from nestor.events import Event, Trouble
from nestor.jobs import Job, Seldom, run_jobs

SOON = timedelta(milliseconds=5)


async def run_until(done: asyncio.Event, *jobs: Job) -> list[Event]:
    told: list[Event] = []
    async with asyncio.timeout(5):
        running = asyncio.ensure_future(run_jobs(jobs, told.append))
        await done.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    return told


async def test_a_job_is_done_again_and_again() -> None:
    done, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 3:
            done.set()

    assert await run_until(done, Job("work", SOON, work)) == []


@pytest.mark.parametrize("fault", [CannotIssue("The disk is full.", "Free it."), RuntimeError("secret")])
async def test_a_job_that_fails_is_told_and_due_again(fault: Exception) -> None:
    done, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 3:
            done.set()
        raise fault

    told = await run_until(done, Job("renewal", SOON, work))
    assert isinstance(told[0], Trouble)
    assert told[0].about == "renewal"
    assert "secret" not in told[0].sentence


async def test_one_job_that_fails_does_not_stop_another() -> None:
    done, times = asyncio.Event(), 0

    async def fail() -> None:
        raise RuntimeError

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 3:
            done.set()

    await run_until(done, Job("fail", SOON, fail), Job("work", SOON, work))


async def test_a_job_that_hangs_is_cut_off_told_and_due_again() -> None:
    done, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 2:
            done.set()
        await asyncio.sleep(60)

    (told,) = await run_until(done, Job("work", SOON, work, limit=timedelta(milliseconds=20)))
    assert isinstance(told, Trouble)
    assert told.sentence.startswith("The job work took longer than")


async def test_a_job_whose_own_time_ran_out_tells_that_and_not_its_limit() -> None:
    done, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 2:
            done.set()
        raise TimeoutError

    told = await run_until(done, Job("work", SOON, work))
    assert {event.sentence for event in told if isinstance(event, Trouble)} == {
        "TimeoutError in the job work; it will be tried again."
    }


async def test_what_cannot_be_mended_ends_them_all() -> None:
    async def work() -> None:
        raise CannotGoOn("The thread has ended.")

    async def companion() -> None:
        await asyncio.sleep(60)

    async with asyncio.timeout(5):
        with pytest.raises(ExceptionGroup) as ended:
            await run_jobs([Job("life", SOON, work)], lambda _: None, {"companion": companion})
    assert [str(fault) for fault in ended.value.exceptions] == ["The thread has ended."]


async def test_a_job_that_fails_in_the_same_way_is_told_once_whatever_the_ids_of_the_requests() -> None:
    done, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times == 4:
            done.set()
        what = "No." if times < 4 else "Not yet."
        raise CannotIssue(f"est refuses simpleenroll (403): {what} (request {times}a)")

    told = [event.sentence for event in await run_until(done, Job("renewal", SOON, work)) if isinstance(event, Trouble)]
    assert [sentence.partition(": ")[2] for sentence in told] == ["No. (request 1a)", "Not yet. (request 4a)"]


def test_what_is_wrong_still_is_told_again_after_its_time() -> None:
    seldom = Seldom(60)
    assert [seldom.is_due("No.", moment) for moment in (0, 59, 61, 100, 121)] == [True, False, True, False, True]
