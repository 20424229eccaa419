"""When the server above is worth asking: a circuit breaker as a state machine. Pure: moments are arguments.

Closed, everything is sent. After some failures in a row it opens: nothing is sent, everybody is answered at once.
Then only a probe goes up now and then, at moments that chance has a part in; the first one that is answered closes it.
"""

from dataclasses import dataclass, replace

MOST_FAILURES = 5
"""Failures in a row after which nothing is sent any more."""

PROBE_PAUSE = 1.0
"""Seconds from the end of a failed probe to the next one, before what is added by chance."""

PROBE_SPREAD = 0.5
"""Seconds that chance adds at most, so that many forwarders do not knock together."""

QUIET = 10.0
"""Seconds without any answer after which it is looked whether the server above is still there."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state at one moment. `since` is when it opened; `heard` when the server last answered anything."""

    failures: int = 0
    since: float | None = None
    heard: float | None = None
    next_probe: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether nothing is to be sent."""
        return self.since is not None

    def succeeded(self, now: float) -> "Breaker":
        """The server answered; what it said does not matter."""
        return Breaker(heard=now)

    def failed(self, now: float, chance: float) -> "Breaker":
        """The server did not answer. `chance` is a number in [0, 1)."""
        failures = self.failures + 1
        since = now if self.since is None and failures >= MOST_FAILURES else self.since
        pause = PROBE_PAUSE + PROBE_SPREAD * chance
        return replace(self, failures=failures, since=since, next_probe=now + pause)

    def wants_probe(self, now: float) -> bool:
        """Whether to ask the server something harmless: it failed lately, or nothing has been heard of it for long."""
        if now < self.next_probe:
            return False
        return self.failures > 0 or self.heard is None or now >= self.heard + QUIET

    def retry_after(self, now: float) -> int:
        """What to tell those who are sent away: longer the longer it lasts, within what devices wait."""
        return 5 if self.since is None else int(min(60, max(5, (now - self.since) / 2)))
