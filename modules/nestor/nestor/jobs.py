"""What happens unasked: one table of jobs, one owner of their tasks. A job that fails tells why and is due again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from types import MappingProxyType

from nestor.errors import CannotGoOn, NestorError, OurFault
from nestor.est.endings import parted
from nestor.events import Trouble
from nestor.ports import Sink

_PAUSE = 10.0
"""Seconds before a companion that failed is started anew."""

_SAID = 60.0
_SAID_OF_COMPANIONS = 600.0
"""Seconds for which what was told is not told in the same words again."""


class Seldom:
    """Remembers what was told last, but for the ids of requests, and for how many seconds that is enough."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._words = ""
        self._until = 0.0

    def is_due(self, text: str, moment: float) -> bool:
        """Whether this is to be told at a monotonic moment: it is something else, or long ago."""
        words, _ = parted(text)
        if words == self._words and moment < self._until:
            return False
        self._words, self._until = words, moment + self._seconds
        return True


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due every so often; the first time after one interval. What hangs is cut off at its limit."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[None]]
    limit: timedelta = timedelta(minutes=5)


async def run_jobs(
    jobs: Sequence[Job], sink: Sink, companions: Mapping[str, Callable[[], Awaitable[None]]] = MappingProxyType({})
) -> None:
    """Run every job until cancelled, and the companions beside them: work without an end, by name.

    Raises CannotGoOn, in a group, where one of them finds that nothing can be mended here.
    """
    async with asyncio.TaskGroup() as owner:
        for job in jobs:
            owner.create_task(_repeat(job, sink), name=job.name)
        for name, companion in companions.items():
            owner.create_task(_accompany(name, companion, sink), name=name)


async def _repeat(job: Job, sink: Sink) -> None:
    seldom = Seldom(_SAID)
    while True:
        await asyncio.sleep(job.every.total_seconds() * random.uniform(0.9, 1.1))  # noqa: S311 -- spreads load only
        await _guarded(job.name, partial(_within, job), sink, seldom)


async def _within(job: Job) -> None:
    limit = asyncio.timeout(job.limit.total_seconds())
    try:
        async with limit:
            await job.work()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise OurFault(f"The job {job.name} took longer than {job.limit.total_seconds():.0f} s.") from error


async def _accompany(name: str, companion: Callable[[], Awaitable[None]], sink: Sink) -> None:
    """Let a companion live; one that ended by a fault is started anew after a pause."""
    seldom = Seldom(_SAID_OF_COMPANIONS)
    while True:
        if await _guarded(name, companion, sink, seldom):
            return
        await asyncio.sleep(_PAUSE)


async def _guarded(name: str, work: Callable[[], Awaitable[None]], sink: Sink, seldom: Seldom) -> bool:
    """Do work whose faults end nothing and are told, the same one seldom; whether it did it."""
    try:
        await work()
    except CannotGoOn:
        raise
    except NestorError as fault:
        if seldom.is_due(fault.text, monotonic()):
            sink(Trouble(name, fault.text, fault.__cause__))
    except Exception as error:  # noqa: BLE001 -- one job's bug must not end the others, nor go untold
        sink(Trouble(name, f"{type(error).__name__} in the job {name}; it will be tried again.", error))
    else:
        return True
    return False
