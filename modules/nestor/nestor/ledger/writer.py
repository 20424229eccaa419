"""The one thread that writes: it takes all that waits, commits it as one group, and answers only then (design D5).

When the disk fails, everything that waits is refused at once, and a probe tries again until the ledger can be written;
nothing else in the house has to notice. What the rows look like is `transaction.py`'s business.
"""

import asyncio
import math
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from nestor.errors import CannotIssue, NestorError
from nestor.ledger.connection import Replaced, cannot_issue, connect
from nestor.ledger.refusals import WaitingRefusals
from nestor.ledger.transaction import Act, Result, commit
from nestor.model import Refusal
from nestor.ports import Clock

_GROUP = 256
"""How many acts a commit has enough with."""

_REFUSALS_EVERY = 1.0
"""Seconds between two writings of refusals."""

_PROBE_EVERY = 0.5
"""Seconds between two attempts to write after a failure."""

_HUNG = 10.0
"""Seconds after which a write that has not come back is told: nobody signs on the strength of such a disk."""

_FORGET_EVERY = 60.0
"""Seconds between two clearings of expired replay keys and of old intents."""

_OF_THE_ACT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
"""Which errors of the database are the fault of what it was given."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    act: Act[Any]
    answer: asyncio.Future[Any]


_Outcome = tuple[_Job, Any, NestorError | None]


class Writer:
    """Runs acts on the ledger, one group after the other; acts come from one event loop."""

    def __init__(self, path: Path, kept_refusals: int, clock: Clock) -> None:
        self._path = path
        self._inode = _inode(path)
        self._kept_refusals = kept_refusals
        self._monotonic, self._time = clock.monotonic, clock.now
        self._connection = connect(path, writable=True)
        self._gathered: list[_Job] = []
        self._jobs: SimpleQueue[list[_Job]] = SimpleQueue()
        self._refusals = WaitingRefusals()
        self._error: Exception | None = None
        self._stopping = False
        self._busy_since = math.inf
        self._refusals_due = self._probe_due = self._forget_due = self._monotonic()
        self._thread = Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> CannotIssue | None:
        """Why nothing can be written at this time."""
        if self.has_died:
            return CannotIssue("The thread that writes the ledger has ended.", "Restart the server.")
        if (seconds := self._monotonic() - self._busy_since) > _HUNG:
            return CannotIssue(f"The disk of the ledger has not taken a write for {seconds:.0f} s.", "Check that disk.")
        if self.is_orphaned:
            return cannot_issue(Replaced())
        return cannot_issue(self._error) if self._error else None

    @property
    def has_died(self) -> bool:
        """Whether the thread has ended, which nobody told it."""
        return not self._thread.is_alive() and not self._stopping

    @property
    def is_orphaned(self) -> bool:
        """Whether the file was removed, or another one put in its place: what is written would go nowhere."""
        return _inode(self._path) != self._inode

    async def run(self, act: Act[Result]) -> Result:
        """Run an act, and answer when it is on the disk. Raises CannotIssue, or what the act raises."""
        if self._stopping:
            raise CannotIssue("The ledger is closed.", "The server is stopping; ask again.")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._gathered.append(_Job(act, answer))
        if len(self._gathered) == 1:
            loop.call_soon(self._hand_over)
        return await answer

    def refuse(self, refusal: Refusal) -> None:
        """Leave a refusal to be written soon."""
        if self._refusals.add(refusal):
            self._jobs.put([])

    def stop(self) -> None:
        """Take nothing more; what waits is still written."""
        self._stopping = True
        self._hand_over()

    def join(self) -> None:
        """Wait until everything is written."""
        self._thread.join()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _hand_over(self) -> None:
        # Once in a turn of the event loop: larger groups, and the two threads do not fight over the interpreter.
        jobs, self._gathered = self._gathered, []
        self._jobs.put(jobs)

    def _work(self) -> None:
        self._probe()
        while not (self._stopping and self._jobs.empty()):
            taken = self._take()
            self._busy_since = self._monotonic()
            self._serve(taken)
            self._busy_since = math.inf
        self._write_refusals()

    def _serve(self, jobs: Sequence[_Job]) -> None:
        """Write what was taken, and what is due."""
        _deliver(self._outcomes(jobs))
        now = self._monotonic()
        if self._error and now >= self._probe_due:
            self._probe()
        if self._refusals.waiting and not self._error and now >= self._refusals_due:
            self._write_refusals()

    def _take(self) -> list[_Job]:
        """Wait for something to do, then take all that waits, up to a bound."""
        taken: list[_Job] = []
        with suppress(Empty):
            taken += self._jobs.get(timeout=self._patience())
            while len(taken) < _GROUP:
                taken += self._jobs.get_nowait()
        return taken

    def _patience(self) -> float | None:
        """Seconds until something is due that nobody will ask for."""
        due = self._probe_due if self._error else self._refusals_due if self._refusals.waiting else None
        return None if due is None else max(0.0, due - self._monotonic())

    def _outcomes(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        """Commit a group. Where one of it is at fault, each is tried alone, so that no neighbor suffers."""
        if not jobs or self._error:
            return [(job, None, self.trouble) for job in jobs]
        try:
            results = self._commit([*(job.act for job in jobs), *self._chores()])
        except Exception as error:  # noqa: BLE001 -- this thread must outlive whatever an act does
            if _is_failure(error):
                self._fail(error)
            elif len(jobs) == 1:
                return [(jobs[0], None, error if isinstance(error, NestorError) else cannot_issue(error))]
            return [outcome for job in jobs for outcome in self._outcomes([job])]
        return [(job, result, None) for job, result in zip(jobs, results, strict=False)]

    def _chores(self) -> Sequence[Act[None]]:
        """What a group does beside, now and then."""
        now = self._monotonic()
        if now < self._forget_due:
            return ()
        self._forget_due = now + _FORGET_EVERY
        return (lambda transaction: transaction.forget(self._time()),)

    def _commit(self, acts: Sequence[Act[Any]]) -> list[Any]:
        # SQLite would go on writing into a file that has lost its name.
        if self.is_orphaned:
            raise Replaced
        return commit(self._connection, acts)

    def _write_refusals(self) -> None:
        self._refusals_due = self._monotonic() + _REFUSALS_EVERY
        refusals, reasons = self._refusals.take()
        if not reasons:
            return
        try:
            self._commit([lambda transaction: transaction.note_refusals(refusals, reasons, self._kept_refusals)])
        except Exception as error:  # noqa: BLE001 -- refusals are lost rather than waited for
            if _is_failure(error):
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._probe_due = self._monotonic() + _PROBE_EVERY

    def _probe(self) -> None:
        """See whether the ledger can be written again, on a new connection: the old one may be of no more use."""
        try:
            self._connection.close()
            self._connection = connect(self._path, writable=True)
            self._commit([lambda transaction: transaction.put_fact("probe", "")])
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        else:
            self._error = None


def _is_failure(error: Exception) -> bool:
    """Whether an error means that the ledger cannot be written, whatever is written."""
    return isinstance(error, sqlite3.Error | OSError) and not isinstance(error, _OF_THE_ACT)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _deliver(outcomes: Sequence[_Outcome]) -> None:
    """Wake those who wait: each event loop once, however many wait there."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_loop[outcome[0].answer.get_loop()].append(outcome)
    for loop, mine in by_loop.items():
        # A loop that has ended waits for nothing any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_answer, mine)


def _answer(outcomes: Sequence[_Outcome]) -> None:
    for job, result, trouble in outcomes:
        if job.answer.done():
            continue
        if trouble is None:
            job.answer.set_result(result)
        else:
            job.answer.set_exception(trouble)
