"""What in this process cannot be mended, so that a new one is the only remedy."""

import os
from collections.abc import Callable

from nestor.errors import CannotGoOn

_PATIENCE = 60.0
"""Seconds without a free file descriptor; whoever holds connections open is sent away long before."""


class Life:
    """Looks every so often; `time` is monotonic seconds."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._full_since: float | None = None

    def look(self, failure: str | None) -> None:
        """Look whether all lives; `failure` says what has ended. Raises CannotGoOn."""
        if failure is not None:
            raise CannotGoOn(failure)
        if _can_open():
            self._full_since = None
        elif self._full_since is None:
            self._full_since = self._time()
        elif self._time() - self._full_since >= _PATIENCE:
            raise CannotGoOn(f"For {_PATIENCE:.0f} s this process could open no file or connection.", _LIMIT)


_LIMIT = "Where it comes again, raise the limit of open files (ulimit -n)."


def _can_open() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
