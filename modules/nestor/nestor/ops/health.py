"""Is the house ready: named checks, one answer each, so that `healthy but not issuing` cannot be said."""

from collections.abc import Callable, Mapping

Check = Callable[[], str | None]
"""A check answers None when all is well, else a sentence that tells what is wrong and what to do."""


class Health:
    """The checks of one house."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def problems(self) -> Mapping[str, str]:
        """What keeps this server from issuing, by the name of the check; empty when it is ready."""
        answers = {name: check() for name, check in self._checks.items()}
        return {name: sentence for name, sentence in answers.items() if sentence is not None}
