"""A `nestor serve` whose insides a test breaks while it runs, by putting a file named after the fault in its place.

Run as a program: `python -m support.stuck PLACE serve ...`. What takes a minute in the field takes seconds here.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nestor.app import serving, watchman
from nestor.app.server import Server
from nestor.ca.authority import LocalAuthority
from nestor.cli import main
from nestor.jobs import Job
from nestor.ledger.sqlite import SQLiteLedger

DEAF_SECONDS = 6.0
PATIENT = "patient"
"""The file that leaves the usual minute to a loop that does not turn."""


def program(place: Path) -> tuple[str, ...]:
    """What starts it."""
    return (sys.executable, "-m", "support.stuck", str(place))


def _block(seconds: float) -> None:
    """Hold the event loop, deaf to everything, as a call into a library does."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=seconds)


def _die(running: Server) -> None:
    """Let the thread that writes the ledger end as no error lets it."""

    def end(*_: object) -> None:
        raise SystemExit

    assert isinstance(running.ground.ledger, SQLiteLedger)
    writer = running.ground.ledger._writer
    vars(writer)["_serve"] = end
    writer._jobs.put([])


def _hang(_: Server) -> None:
    """A thread that is not heard of again, as those of libraries, and that the end of a process waits for."""
    threading.Thread(target=time.sleep, args=(600,), name="sdk").start()


def _swap_key(running: Server) -> None:
    """Let the CA sign with another key than that of its certificate."""
    authority = running.house.authority
    assert isinstance(authority, LocalAuthority)
    authority._issuer = replace(authority._issuer, key=running.house.identity.key)


FAULTS: dict[str, Callable[[Server], None]] = {
    "block": lambda _: _block(600),
    "pause": lambda _: _block(3.5),
    "die": _die,
    "hang": _hang,
    "key": _swap_key,
}


def _main() -> None:
    place = Path(sys.argv.pop(1))
    if not (place / PATIENT).exists():
        watchman.DEAF_SECONDS = DEAF_SECONDS
    usual = serving._jobs

    def jobs(running: Server) -> list[Job]:
        async def look() -> None:
            for name, fault in FAULTS.items():
                with suppress(FileNotFoundError):
                    (place / name).rename(place / f"{name}.done")
                    fault(running)

        quick = [Job(job.name, min(job.every, timedelta(seconds=0.2)), job.work) for job in usual(running)]
        return [*quick, Job("faults", timedelta(seconds=0.05), look)]

    vars(serving)["_jobs"] = jobs
    main()


if __name__ == "__main__":
    _main()
