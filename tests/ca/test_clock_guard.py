"""A clock by hand: back, forward, from 1970, and put right."""

from datetime import UTC, datetime, timedelta

import pytest

from nestor.ca.clock_guard import EARLIEST, ClockGuard, check_plausible, floor_of
from nestor.errors import CannotIssue
from support.asking import NOW
from support.issuing import DAY, HandClock

MINUTE = timedelta(minutes=1)


def test_a_clock_that_runs_as_it_should_is_believed() -> None:
    clock = HandClock()
    guard = ClockGuard(clock, NOW - DAY)
    for _ in range(10):
        clock.pass_by(5 * DAY)
        assert guard.time_to_issue() == clock.wall
        assert guard.problem() is None


def test_before_the_newest_certificate_nothing_is_issued() -> None:
    guard = ClockGuard(HandClock(NOW - 6 * MINUTE), NOW)
    for ask in (guard.time_to_issue, guard.time_to_judge):
        with pytest.raises(CannotIssue, match="were issued at 2026-06-01 12:00 UTC") as refusal:
            ask()
        assert "resumes by itself" in refusal.value.hint
        assert "nestor ledger accept-clock" in refusal.value.hint


def test_a_few_minutes_back_are_no_matter() -> None:
    assert ClockGuard(HandClock(NOW - 4 * MINUTE), NOW).problem() is None


def test_a_clock_that_runs_backwards_while_issuing_is_noticed_and_heals() -> None:
    clock = HandClock()
    guard = ClockGuard(clock)
    guard.time_to_issue()
    clock.wall -= timedelta(hours=1)
    assert guard.problem() is not None
    clock.pass_by(timedelta(minutes=56))
    assert guard.problem() is None


def test_a_clock_of_1970_is_not_believed_even_without_a_ledger() -> None:
    problem = ClockGuard(HandClock(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))).problem()
    assert problem is not None
    assert "1970-01-01" in problem
    assert "accept-clock" not in problem, "such a time is never right"


def test_a_clock_of_1970_that_is_put_right_is_believed_at_once() -> None:
    clock = HandClock(datetime(1970, 1, 1, tzinfo=UTC))
    guard = ClockGuard(clock)
    assert guard.problem()
    clock.wall = NOW
    assert guard.problem() is None


def test_a_large_jump_forward_is_doubted_for_ten_minutes() -> None:
    clock = HandClock()
    guard = ClockGuard(clock)
    clock.wall += 400 * DAY
    problem = guard.problem()
    assert problem is not None
    assert "jumped" in problem
    assert "after ten minutes" in problem
    clock.pass_by(9 * MINUTE)
    with pytest.raises(CannotIssue):
        guard.time_to_issue()
    clock.pass_by(2 * MINUTE)
    assert guard.time_to_issue() == clock.wall


def test_a_jump_that_is_taken_back_leaves_no_trace() -> None:
    clock = HandClock()
    guard = ClockGuard(clock)
    clock.wall += 4000 * DAY
    assert guard.problem()
    clock.wall -= 4000 * DAY
    assert guard.time_to_issue() == NOW
    clock.wall += 4000 * DAY
    clock.seconds += 599
    assert guard.problem(), "the doubt begins anew"


def test_a_small_jump_forward_is_believed() -> None:
    clock = HandClock()
    guard = ClockGuard(clock)
    clock.wall += timedelta(hours=23)
    assert guard.problem() is None


def test_a_long_silence_is_no_jump() -> None:
    clock = HandClock()
    guard = ClockGuard(clock)
    clock.pass_by(400 * DAY)
    assert guard.problem() is None


def test_a_host_whose_clock_was_ahead_can_be_put_right() -> None:
    clock = HandClock(NOW)
    guard = ClockGuard(clock, NOW + 300 * DAY)
    assert guard.problem()
    guard.reset(None)
    assert guard.problem() is None


def test_the_floor_is_never_below_the_program() -> None:
    assert floor_of(datetime(1999, 1, 1, tzinfo=UTC)) == EARLIEST
    assert floor_of(None) == EARLIEST


def test_judging_dates_leaves_no_trace() -> None:
    clock = HandClock()
    guard = ClockGuard(clock, NOW)
    clock.wall += timedelta(hours=20)
    assert guard.time_to_judge() == clock.wall
    clock.wall = NOW
    assert guard.problem() is None


def test_nothing_that_lasts_is_begun_by_a_clock_that_was_not_set() -> None:
    check_plausible(EARLIEST)
    with pytest.raises(CannotIssue, match="before the time of this program"):
        check_plausible(EARLIEST - MINUTE)
