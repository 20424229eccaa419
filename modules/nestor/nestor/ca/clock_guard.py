"""Is the clock to be believed: certificates with wrong dates lock devices out, or live for ever (design D16). Pure.

`judge` decides; `ClockGuard` remembers what it needs for that. Both heal by themselves once the clock is right.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from nestor.errors import CannotIssue
from nestor.ports import Clock

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time than that of this program."""

_BACK = timedelta(minutes=5)
_JUMP = timedelta(days=1)
_DOUBTED_SECONDS = 600.0
_SET_IT = "Set the clock, best by time synchronization; issuing resumes by itself."
_ACCEPT_IT = f"{_SET_IT} If it is right, and was ahead before: nestor ledger accept-clock."
_WAIT = "If that is right, it is believed after ten minutes; if not, set the clock, and issuing resumes at once."


@dataclass(frozen=True, slots=True)
class Watch:
    """The clocks as they were last believed, and since when (monotonic seconds) a jump forward has been doubted."""

    wall: datetime
    monotonic: float
    doubted_since: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to remember, and why the clock is not believed and what to do about it; None when it is."""

    watch: Watch
    doubt: CannotIssue | None = None


def floor_of(newest: datetime | None) -> datetime:
    """The earliest time that can be right: somewhat before the newest certificate that was issued."""
    return EARLIEST if newest is None else max(EARLIEST, newest - _BACK)


def judge(watch: Watch | None, *, now: datetime, monotonic: float, floor: datetime) -> Verdict:
    """Judge the wall clock against a floor and against the seconds that have passed.

    Before the floor it is wrong. A jump of more than a day forward is doubted for ten minutes: time synchronization
    takes it back, or it stays. A clock that was below the floor and jumps ahead has been put right, and is believed.
    """
    here = Watch(now, monotonic)
    if now < floor:
        return Verdict(here, _too_early(now, floor))
    if watch is None or watch.wall < floor:
        return Verdict(here)
    expected = watch.wall + timedelta(seconds=monotonic - watch.monotonic)
    if now - expected <= _JUMP:
        return Verdict(here)
    since = monotonic if watch.doubted_since is None else watch.doubted_since
    if monotonic - since >= _DOUBTED_SECONDS:
        return Verdict(here)
    sentence = f"The clock of this server jumped from {_shown(expected)} to {_shown(now)}."
    return Verdict(replace(watch, doubted_since=since), CannotIssue(sentence, _WAIT))


def check_plausible(now: datetime) -> None:
    """Raise CannotIssue for a time before that of this program: nothing that lasts is begun by such a clock."""
    if now < EARLIEST:
        raise _too_early(now, EARLIEST)


def _too_early(now: datetime, floor: datetime) -> CannotIssue:
    shown = f"The clock of this server shows {_shown(now)}"
    if floor <= EARLIEST:
        return CannotIssue(f"{shown}, which is before the time of this program.", _SET_IT)
    return CannotIssue(f"{shown}, but certificates were issued at {_shown(floor + _BACK)} already.", _ACCEPT_IT)


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


class ClockGuard:
    """Gives the time to issue by, or refuses to; `newest` is when the ledger's newest certificate was issued."""

    def __init__(self, clock: Clock, newest: datetime | None = None) -> None:
        self._clock = clock
        self._newest = newest
        self._watch: Watch | None = None
        self.problem()

    def now(self) -> datetime:
        """What the clock shows, believed or not."""
        return self._clock.now()

    def problem(self) -> str | None:
        """Why the clock is not believed at this time, and what to do; None when it is."""
        doubt = self._look()[1]
        return None if doubt is None else doubt.text

    def time_to_judge(self) -> datetime:
        """The time, for judging dates that others wrote. Raises CannotIssue for a clock that is not believed."""
        now, doubt = self._look()
        if doubt is not None:
            raise doubt
        return now

    def time_to_issue(self) -> datetime:
        """The time, which becomes the floor under later ones. Raises CannotIssue for a clock that is not believed."""
        now = self.time_to_judge()
        self._newest = now if self._newest is None else max(now, self._newest)
        return now

    def reset(self, newest: datetime | None) -> None:
        """Take another floor: for a host whose clock was ahead, and has been put right."""
        self._newest = newest

    def _look(self) -> tuple[datetime, CannotIssue | None]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        verdict = judge(self._watch, now=now, monotonic=monotonic, floor=floor_of(self._newest))
        self._watch = verdict.watch
        return now, verdict.doubt
