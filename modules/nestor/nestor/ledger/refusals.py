"""Refusals on their way into the ledger: a bounded number waits, the rest is only counted.

A flood of refused requests must not slow the granted ones, so nobody ever waits for a refusal to be written.
"""

import threading
from collections import Counter

from nestor.model import Refusal

WAITING = 500
"""How many refusals may wait for the next writing."""


class WaitingRefusals:
    """The refusals that no transaction has taken yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: list[Refusal] = []
        self._reasons: Counter[str] = Counter()

    @property
    def waiting(self) -> bool:
        """Whether there is anything to write or to count."""
        return bool(self._reasons)

    def add(self, refusal: Refusal) -> bool:
        """Add a refusal, or only count it where too many wait. Answers whether it is the first one to wait."""
        with self._lock:
            first = not self._reasons
            self._reasons[refusal.reason] += 1
            if len(self._refusals) < WAITING:
                self._refusals.append(refusal)
        return first

    def take(self) -> tuple[list[Refusal], Counter[str]]:
        """Take what waits: the refusals, and how many there were by reason."""
        with self._lock:
            taken = self._refusals, self._reasons
            self._refusals, self._reasons = [], Counter()
        return taken
