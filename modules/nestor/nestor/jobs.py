"""What happens unasked: one table of jobs, one owner of their tasks. A job that fails tells why and is due again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nestor.errors import NestorError
from nestor.events import Trouble
from nestor.ports import Sink


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due every so often; the first time after one interval."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[None]]


async def run_jobs(jobs: Sequence[Job], sink: Sink) -> None:
    """Run every job until cancelled."""
    async with asyncio.TaskGroup() as owner:
        for job in jobs:
            owner.create_task(_repeat(job, sink), name=job.name)


async def _repeat(job: Job, sink: Sink) -> None:
    while True:
        await asyncio.sleep(job.every.total_seconds() * random.uniform(0.9, 1.1))  # noqa: S311 -- spreads load only
        try:
            await job.work()
        except NestorError as fault:
            sink(Trouble(job.name, fault.text, fault.__cause__))
        except Exception as error:  # noqa: BLE001 -- one job's bug must not end the others, nor go untold
            sink(Trouble(job.name, f"{type(error).__name__} in the job {job.name}; it will be tried again.", error))
