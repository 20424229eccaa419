"""How each route does: whether its target answers, since when, and why not. It holds no address of anybody."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What was seen of a target last."""

    UNUSED = "unused"
    WORKS = "works"
    FAILS = "fails"


@dataclass(slots=True)
class Standing:
    """One route: its state, since when it is so, the last error in a sentence, and what it carried."""

    state: State
    since: datetime
    last_error: str = ""
    requests: int = 0
    failed: int = 0
    carried: int = 0
    under_way: int = 0
    answered_in: float | None = None


class Standings:
    """Every route by name. A route that is gone is forgotten, one that comes is new."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._all: dict[str, Standing] = {}

    def of(self, name: str) -> Standing:
        """How a route does."""
        if name not in self._all:
            self._all[name] = Standing(State.UNUSED, self._now())
        return self._all[name]

    def keep(self, names: Iterable[str]) -> dict[str, Standing]:
        """How these do, and no others."""
        self._all = {name: self.of(name) for name in names}
        return dict(self._all)

    def answered(self, name: str, seconds: float) -> bool:
        """Note an answer, and how long it took to begin; tells whether the route had failed before."""
        one = self.of(name)
        one.answered_in = seconds
        return self._enter(one, State.WORKS) is State.FAILS

    def failed(self, name: str, why: str) -> bool:
        """Note that a target failed; tells whether it did not before."""
        one = self.of(name)
        one.failed += 1
        one.last_error = why
        return self._enter(one, State.FAILS) is not State.FAILS

    def _enter(self, one: Standing, state: State) -> State:
        before = one.state
        if before is not state:
            one.state, one.since = state, self._now()
        return before
