"""How long the link to edgeHub waits for what, as one value, so that tests need not wait as long as plants do."""

from collections.abc import Callable
from dataclasses import dataclass

Draw = Callable[[float, float], float]
"""A number between two, drawn at random."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. A change made during an absence is in force within a minute of its end: `longest_pause` and `twin`."""

    create: float = 30.0
    """For a new client: two calls to the runtime, and the first time the import of the SDK."""
    connect: float = 25.0
    twin: float = 30.0
    """For a reading of the twin: edgeHub asks the cloud for twenty seconds before it answers from its own store."""
    call: float = 10.0
    close: float = 3.0
    reread: float = 50.0
    """Between two readings of the twin: edgeHub loses notices, and answers while it has forgotten its subscribers."""
    reread_after_refusal: float = 10.0
    reread_pause: float = 0.3
    """Between two readings that gaps ask for: a storm of patches asks for many."""
    method: float = 25.0
    """For a direct method, queue included; whoever called waits thirty by default."""
    token: int = 3600
    """How long the token of a client is good."""
    renew: float = 2700.0
    """When a client is followed by the next, before its token ends and before the SDK renews it (120 s earlier)."""
    renew_again: float = 60.0
    shortest_pause: float = 1.0
    longest_pause: float = 30.0
    steady: float = 60.0
    """A connection that lasted so long was a good one: after it the pauses begin anew."""

    def pause(self, failures: int, draw: Draw) -> float:
        """Seconds before the next try: full jitter, so that the modules of a plant do not come back in step."""
        return draw(0.0, min(self.longest_pause, self.shortest_pause * 2.0 ** min(failures, 30)))
