"""What a device is told when the server above did not give what was asked of it: the map of errors. Pure.

Never sent: 503, and nothing came of it. Sent without an answer: 504, nobody knows. An answer that cannot be used, or
that is meant for this server and not for the device: 502. A refusal that is meant for the device goes down as it is.
The ids that a refusal of a Nestor brings stay at its end.
"""

import http

from nestor.errors import (
    Conflicting,
    Forbidden,
    Looped,
    Malformed,
    NestorError,
    ParentAway,
    ParentSilent,
    ParentUnusable,
    Pending,
    TooOften,
    Unavailable,
    UnknownPath,
)
from nestor.est.endings import ended, parted
from nestor.upstream.faults import BadAnswer, NoAnchor, Untrusted, WrongHost
from nestor.upstream.refusals import Failing, same_again, unless_told

LONGEST_WAIT = 3600
"""Seconds; whatever the server above says, a device is not sent away for longer."""

_AGAIN = "Send the same request again: it gets the same certificate."
_OURS = (
    "It is about the server that asked there, not about this device: its operator looks at its upstream settings and "
    "at its log."
)


_ANCHORS = "Put the CA certificate of that server into upstream.anchors: nestor ca export --root, where it is a Nestor."
_HOSTS = (
    "Name the host in upstream.url as that certificate does, or add this name to listener.hostnames there; nestor "
    "doctor tells for which it is."
)


def hint_of(fault: NestorError) -> str:
    """What to do about a fault, for whoever runs this server; a person who asks for once does it otherwise."""
    match fault:
        case NoAnchor():
            return _ANCHORS
        case WrongHost():
            return _HOSTS
        case _:
            return fault.hint


def of_silence(fault: Unavailable, *, sent: bool, retry_after: int) -> NestorError:
    """What it means that there was no answer, or none that can be read."""
    if isinstance(fault, Untrusted | BadAnswer):
        return ParentUnusable(fault.sentence, hint_of(fault))
    if sent:
        return ParentSilent(fault.sentence, _AGAIN)
    return _away(fault, retry_after)


def of_refusal(refusal: NestorError) -> NestorError:
    """What a refusal by the server above means for whoever asked here."""
    match refusal:
        case Failing(status=status, retry_after=wait):
            return _of_trouble(refusal, status, _capped(wait))
        case Pending(retry_after=wait):
            told = unless_told(refusal.sentence, same_again(_capped(wait)))
            return Pending(refusal.sentence, told, retry_after=_capped(wait))
        case TooOften(retry_after=wait):
            return _away(refusal, _capped(wait))
        case Malformed() | Forbidden() | UnknownPath() | Conflicting():
            return refusal
        case _:
            words, ids = parted(refusal.sentence)
            return ParentUnusable(words, ended(_OURS, ids))


def _of_trouble(refusal: Failing, status: int, wait: int) -> NestorError:
    match status:
        case http.HTTPStatus.SERVICE_UNAVAILABLE:
            return _away(refusal, wait)
        case http.HTTPStatus.GATEWAY_TIMEOUT | http.HTTPStatus.REQUEST_TIMEOUT:
            return ParentSilent(refusal.sentence, unless_told(refusal.sentence, _AGAIN))
        case http.HTTPStatus.LOOP_DETECTED:
            return Looped(refusal.sentence)
        case _:
            return ParentUnusable(refusal.sentence)


def _away(fault: NestorError, wait: int) -> ParentAway:
    return ParentAway(fault.sentence, unless_told(fault.sentence, f"Wait {wait} s."), retry_after=wait)


def _capped(seconds: int) -> int:
    return min(seconds, LONGEST_WAIT)
