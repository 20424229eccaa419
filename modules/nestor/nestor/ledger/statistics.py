"""What the ledger adds up to at one moment, for reports. Pure: `statements.py` asks, here the answers are put together.

What was ever issued, refused or revoked comes from counters, which survive restarts. What is active or ends soon
depends on the time, so the certificates that have not ended are looked at: through the index that enrollments need
anyway, so that no enrollment pays for a report.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nestor.ledger.rows import Row, moment, seconds

DAY, WEEK = timedelta(days=1), timedelta(days=7)

OVERDUE = 10
"""A certificate is overdue in the last such part of its life: aziot-certd renews at four fifths unless told."""


@dataclass(frozen=True, slots=True)
class Last:
    """The certificate that was issued last; by its serial number, never by its device."""

    serial: int
    profile: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of one moment.

    `active` are certificates by profile that have neither ended nor a successor nor been revoked. `overdue` are those
    of them that could have been renewed, and have not in nine tenths of their life. `pending` requests wait for
    approval.
    """

    issued: Mapping[str, int]
    issued_in_day: int
    active: Mapping[str, int]
    ending_in_day: int
    ending_in_week: int
    overdue: int
    refused: Mapping[str, int]
    revoked: int
    adopted: int
    last: Last | None
    pending: int = 0


def moments(now: datetime) -> dict[str, Any]:
    """The times that the questions are about."""
    return {
        "now": seconds(now),
        "day_ago": seconds(now - DAY),
        "in_day": seconds(now + DAY),
        "in_week": seconds(now + WEEK),
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """Active certificates of one profile: how many, how many of them end within a day and a week, how many are late."""

    profile: str
    active: int
    in_day: int
    in_week: int
    late: int


def put_together(
    counters: Iterable[Row],
    tallies: Iterable[Row],
    issued_in_day: int,
    last: Row | None,
    renewed: Collection[str],
) -> Statistics:
    """The statistics of these answers; `renewed` are the profiles that devices renew."""
    counted: dict[str, dict[str, int]] = {"issued": {}, "refused": {}, "revoked": {}, "adopted": {}}
    for kind, name, value in counters:
        counted.setdefault(kind, {})[name] = value
    found = [Tally(*row) for row in tallies]
    return Statistics(
        issued=counted["issued"],
        issued_in_day=issued_in_day,
        active={tally.profile: tally.active for tally in found},
        ending_in_day=sum(tally.in_day for tally in found),
        ending_in_week=sum(tally.in_week for tally in found),
        overdue=sum(tally.late for tally in found if tally.profile in renewed),
        refused=counted["refused"],
        revoked=sum(counted["revoked"].values()),
        adopted=sum(counted["adopted"].values()),
        last=None if last is None else Last(int.from_bytes(last[0], "big"), last[1], moment(last[2])),
    )
