"""Whose word is doubted: what failed passwords say of networks and users. Pure of clocks: times are arguments.

Doubt only orders who is looked at first, and how soon; a right password is right however many wrong ones came before.
"""

from nestor.access.throttle import Buckets, Rate
from nestor.events import Trouble

DOUBTED = Rate(burst=1, pause=600.0)
"""One failure, and for ten minutes those without any go first."""

_TELLING = 60.0
_NAMED = 1000
_LONGEST_NAME = 64


class Suspicion:
    """Counts failures by network and by user.

    `often` says how many are usual, `lately` who had any (its rate is DOUBTED); `guesses` is what operators hear.
    """

    def __init__(self, often: Buckets, lately: Buckets, guesses: "Guesses") -> None:
        self._often = often
        self._lately = lately
        self._guesses = guesses

    def doubt(self, network: str, user: str, moment: float) -> int:
        """How many of network and user have failed lately: none, one or both."""
        return sum(not self._lately.has(key, moment) for key in _keys(network, user))

    def is_guessing(self, network: str, user: str, moment: float) -> bool:
        """Whether a network fails too often, or fails too for a user for whom too many fail."""
        from_here, for_user = _keys(network, user)
        return not self._often.has(from_here, moment) or not (
            self._often.has(for_user, moment) or self._lately.has(from_here, moment)
        )

    def failed(self, network: str, user: str, moment: float) -> tuple[float, Trouble | None]:
        """Count a failure: in how many seconds one more is usual again, 0 if this one was; and what is to be told."""
        for key in _keys(network, user):
            self._lately.take(key, moment)
        missing = max(self._often.take(key, moment) for key in _keys(network, user))
        return missing, self._guesses.note(network, user, moment) if missing else None


class Guesses:
    """What an operator is told of those who guess: at once, then once a minute, however many they are."""

    def __init__(self) -> None:
        self._again = 0.0
        self._count = 0
        self._users: dict[str, None] = {}
        self._networks: dict[str, None] = {}

    def note(self, network: str, user: str, moment: float) -> Trouble | None:
        """Hear of a failure that was one too many; the answer is what is to be told now."""
        self._count += 1
        _note(self._users, user[:_LONGEST_NAME])
        _note(self._networks, network)
        if moment < self._again:
            return None
        told = Trouble(
            "guessing",
            f"Somebody is guessing passwords: for {_named(self._users)}, from {_named(self._networks)}, "
            f"{self._count} more than is usual. They are slowed down; right passwords pass.",
        )
        self._again = moment + _TELLING
        self._count = 0
        self._users.clear()
        self._networks.clear()
        return told


def _keys(network: str, user: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("network", network), ("user", user)


def _note(names: dict[str, None], name: str) -> None:
    if len(names) < _NAMED:
        names[name] = None


def _named(names: dict[str, None]) -> str:
    """The first of some names, and how many more there are."""
    first, *others = names
    if not others:
        return first
    return f"{first} and {'over ' if len(names) == _NAMED else ''}{len(others)} more"
