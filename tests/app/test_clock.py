"""The clock of the machine, and what those who judge dates hear of it."""

from datetime import timedelta

import pytest

from nestor.app.clock import BelievedClock
from nestor.ca.clock_guard import ClockGuard
from nestor.errors import CannotIssue
from support.asking import NOW
from support.issuing import HandClock


def test_whoever_judges_dates_gets_no_time_that_is_not_believed() -> None:
    clock = HandClock()
    believed = BelievedClock(clock, ClockGuard(clock, NOW))
    assert believed.now() == NOW
    assert believed.monotonic() == clock.seconds
    clock.wall -= timedelta(hours=1)
    with pytest.raises(CannotIssue, match="The clock of this server shows"):
        believed.now()
