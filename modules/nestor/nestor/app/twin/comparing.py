"""How a change of one key is measured: whether what is wished is more than the host has. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from nestor.app.names import is_loopback
from nestor.app.twin.changes import Change
from nestor.approval import ApprovalAnswer, ApprovalScope
from nestor.document import any_contains
from nestor.model import Combination
from nestor.naming import fold
from nestor.ops.settings import LogLevel

_EVERY = "*"
_LONGEST = timedelta(days=365)
"""How long certificates of a kind may live by the twin's word, where the host's document says nothing of it."""

_TAKES = {
    Combination.BOTH: {"both"},
    Combination.CERTIFICATE: {"both", "certificate"},
    Combination.PASSWORD: {"both", "password"},
    Combination.EITHER: {"both", "certificate", "password"},
}


def changed(change: Change) -> bool:
    """It is another one."""
    return bool(change.host != change.wanted)


def more(change: Change) -> bool:
    """It is larger or longer."""
    return bool(change.wanted > change.host)


def less(change: Change) -> bool:
    """It is smaller or shorter."""
    return bool(change.wanted < change.host)


def switched_on(change: Change) -> bool:
    """It was off."""
    return change.wanted and not change.host


def switched_off(change: Change) -> bool:
    """It was on."""
    return change.host and not change.wanted


def more_words(change: Change) -> bool:
    """Something is new in the list."""
    return _EVERY not in change.host and not {*change.wanted} <= {*change.host}


def more_keys(change: Change) -> bool:
    """A kind of key is new, where the host says which ones there may be."""
    return change.said and more_words(change)


def wider_patterns(change: Change) -> bool:
    """A pattern of the list covers more than the host's do."""
    return bool(_beyond(change.host, change.wanted))


def wider_pattern(change: Change) -> bool:
    """The pattern covers more than the host's does."""
    return not any_contains((change.host,), change.wanted)


def longer(change: Change) -> bool:
    """It is longer than the host's document says, or where that says nothing, than its default and a year."""
    return bool(change.wanted > (change.host if change.said else max(change.host, _LONGEST)))


def weaker(change: Change) -> bool:
    """Credentials count that did not."""
    return not _TAKES[change.wanted] <= _TAKES[change.host]


def less_approval(change: Change) -> bool:
    """Nothing has to be approved any more; or approvals are not for one key any more."""
    answers = list(ApprovalAnswer)
    return answers.index(change.wanted) < answers.index(change.host)


def less_approved(change: Change) -> bool:
    """Less has to be approved."""
    scopes = list(ApprovalScope)
    return scopes.index(change.wanted) < scopes.index(change.host)


def pinned_anew(change: Change) -> bool:
    """A path that was for one profile is for another, or for all."""
    return change.host is not None and changed(change)


def taken_away(change: Change) -> bool:
    """Something was there, and is gone or another one."""
    return bool(change.host) and changed(change)


def own_names_lost(change: Change) -> bool:
    """A name is left out that the host's document gives this server, other than localhost and its like."""
    wished = {*map(fold, change.wanted)}
    return change.said and any(fold(name) not in wished for name in change.host if not is_loopback(name))


def silent(change: Change) -> bool:
    """Even warnings are not written."""
    levels = list(LogLevel)
    return levels.index(change.wanted) > max(levels.index(change.host), levels.index(LogLevel.WARNING))


def _beyond(host: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    return [pattern for pattern in wanted if not any_contains(host, pattern)]


def names_beyond(change: Change) -> Sequence[str]:
    """A pattern covers more than the host's do."""
    return _beyond(change.host, change.wanted)


def names_of_maker(change: Change) -> Sequence[str]:
    """A pattern covers more than the host's do, or all of the host's are left out."""
    if change.host and not change.wanted:
        return [_EVERY] if _beyond(change.host, (_EVERY,)) else []
    return _beyond(change.host, change.wanted)
