"""How other threads wait for what happens here."""

import threading
import time
from collections.abc import Callable

from standin.errors import StandInError

_NOW_AND_THEN = 0.1
"""Seconds after which a question is asked again though nothing changed: it may be about something else."""


class Changes:
    """Counts what changes, and wakes who waits for it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count = 0

    def notify(self) -> None:
        """Something has changed."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait_until(self, holds: Callable[[], bool], seconds: float, told: Callable[[], str]) -> None:
        """Wait until something holds. Raises StandInError when the time is over, with what is told then."""
        end = time.monotonic() + seconds
        while True:
            seen = self._count
            if holds():  # without the lock: it may ask the loop, and the loop notifies
                return
            with self._condition:
                left = end - time.monotonic()
                if left <= 0:
                    raise StandInError(f"Waited {seconds:g} s in vain; {told()}.")
                if self._count == seen:
                    self._condition.wait(min(left, _NOW_AND_THEN))
