"""Is the house ready: named checks, one answer each, so that `healthy but not issuing` cannot be said."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

Check = Callable[[], str | None]
"""A check answers None when all is well, else a sentence that tells what is wrong and what to do."""


class Health:
    """The checks of one house; the `vital` ones look for what is broken in this process itself.

    A house that waits for its settings, for the right time or for a disk works as it should: healthy, and not ready.
    """

    def __init__(self, checks: Mapping[str, Check], vital: Mapping[str, Check] = MappingProxyType({})) -> None:
        self._checks = checks
        self._vital = vital

    @property
    def names(self) -> Sequence[str]:
        """The names of all checks."""
        return [*self._checks, *self._vital]

    def failures(self) -> Mapping[str, str]:
        """What is broken, by the name of the check; empty when this process is healthy."""
        return _told(self._vital)

    def problems(self) -> Mapping[str, str]:
        """What keeps this server from issuing, by the name of the check; empty when it is ready."""
        return {**_told(self._checks), **self.failures()}


def _told(checks: Mapping[str, Check]) -> Mapping[str, str]:
    answers = {name: check() for name, check in checks.items()}
    return {name: sentence for name, sentence in answers.items() if sentence is not None}
