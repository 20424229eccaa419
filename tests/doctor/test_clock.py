"""Clocks."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from nestor.doctor.clock import judge_clock
from nestor.doctor.seen import Answer
from nestor.finding import Gravity
from support.asking import NOW


@pytest.mark.parametrize(
    ("ahead", "gravity", "sentence"),
    [
        (timedelta(), Gravity.FINE, "agree"),
        (timedelta(seconds=59), Gravity.FINE, "agree"),
        (timedelta(seconds=-59), Gravity.FINE, "agree"),
        (timedelta(hours=3), Gravity.WARNING, "clock is 3 hours ahead of this machine's"),
        (timedelta(days=-4), Gravity.WARNING, "clock is 4 days behind this machine's"),
    ],
)
def test_a_difference_is_told(ahead: timedelta, gravity: Gravity, sentence: str) -> None:
    date = format_datetime(NOW + ahead, usegmt=True)
    (told,) = judge_clock(Answer(200, (("Date", date),), b"", NOW))
    assert told.gravity is gravity
    assert sentence in told.sentence


@pytest.mark.parametrize("headers", [(), (("Date", "yesterday"),), (("Date", ""),)])
def test_without_a_date_nothing_is_told(headers: tuple[tuple[str, str], ...]) -> None:
    assert judge_clock(Answer(200, headers, b"", NOW)) == []
