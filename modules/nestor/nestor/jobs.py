"""What happens unasked: one table of jobs, one owner of their tasks. A job that fails tells why and is due again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType

from nestor.errors import CannotGoOn, NestorError, OurFault
from nestor.events import Trouble
from nestor.ports import Sink

_PAUSE = 10.0
"""Seconds before a companion that failed is started anew."""


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
    while True:
        await asyncio.sleep(job.every.total_seconds() * random.uniform(0.9, 1.1))  # noqa: S311 -- spreads load only
        await _guarded(job.name, partial(_within, job), sink)


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
    while True:
        if await _guarded(name, companion, sink):
            return
        await asyncio.sleep(_PAUSE)


async def _guarded(name: str, work: Callable[[], Awaitable[None]], sink: Sink) -> bool:
    """Do work whose faults end nothing and are told; whether it did it."""
    try:
        await work()
    except CannotGoOn:
        raise
    except NestorError as fault:
        sink(Trouble(name, fault.text, fault.__cause__))
    except Exception as error:  # noqa: BLE001 -- one job's bug must not end the others, nor go untold
        sink(Trouble(name, f"{type(error).__name__} in the job {name}; it will be tried again.", error))
    else:
        return True
    return False
