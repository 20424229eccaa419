"""The one clock of the process, and the same clock as far as it is believed."""

import time
from datetime import UTC, datetime

from nestor.ca.clock_guard import ClockGuard
from nestor.ports import Clock


class SystemClock:
    """The Clock port on the machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 -- this is the Clock

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


class BelievedClock:
    """The Clock port for those who judge dates: by a clock that is wrong, good certificates look expired."""

    def __init__(self, clock: Clock, guard: ClockGuard) -> None:
        self._clock = clock
        self._guard = guard

    def now(self) -> datetime:
        """The wall clock, in UTC. Raises CannotIssue while it is not believed."""
        return self._guard.time_to_judge()

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._clock.monotonic()
