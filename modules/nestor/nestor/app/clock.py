"""The one clock of the process."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The Clock port on the machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 -- this is the Clock

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()
