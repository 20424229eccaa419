"""Judgement on clocks: certificates begin and end by them, here, at the server, and on every device."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from nestor.doctor.seen import Answer
from nestor.doctor.words import Topic, fine, lasting, warning
from nestor.finding import Finding

TOLERATED = timedelta(seconds=60)
"""A difference that harms nobody: CAs back-date by minutes."""


def judge_clock(answer: Answer) -> list[Finding]:
    """How far the server's Date (RFC 9110, 6.6.1) is from this machine's time; nothing, where it sends none."""
    then = _date_of(answer)
    if then is None:
        return []
    off = answer.at - then
    if abs(off) <= TOLERATED:
        return [fine(Topic.CLOCK, "The clocks of the server and of this machine agree.")]
    which = "behind" if off > timedelta() else "ahead of"
    return [
        warning(
            Topic.CLOCK,
            f"The server's clock is {lasting(off)} {which} this machine's: certificates begin and end at other times "
            "than they say.",
            "Set both clocks by the same time source, and those of the devices.",
        )
    ]


def _date_of(answer: Answer) -> datetime | None:
    try:
        moment = parsedate_to_datetime(answer.header("date") or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
