"""A Nestor for whom months pass in seconds. Run as `nestor` is; nothing else about it differs.

What happens every half minute happens a thousand times as often. Where the environment names a file, the clock is off
by the seconds that it holds.
"""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nestor.app import serving
from nestor.app.clock import SystemClock
from nestor.app.server import Server
from nestor.cli import main
from nestor.jobs import Job

CLOCK = "NESTOR_TESTS_CLOCK"
_TIMES = 1000
_usual_jobs, _usual_now = serving._jobs, SystemClock.now


def _jobs(served: Server) -> list[Job]:
    return [replace(job, every=job.every / _TIMES) for job in _usual_jobs(served)]


def _turned(file: Path) -> None:
    def now(clock: SystemClock) -> datetime:
        return _usual_now(clock) + timedelta(seconds=float(file.read_text("utf-8")))

    SystemClock.now = now  # type: ignore[method-assign,assignment]  # the Clock of this process


if __name__ == "__main__":
    serving._jobs = _jobs  # type: ignore[assignment]  # an argument of another name
    if CLOCK in os.environ:  # noqa: TID251 -- the test's own switch
        _turned(Path(os.environ[CLOCK]))  # noqa: TID251 -- the same
    main()
