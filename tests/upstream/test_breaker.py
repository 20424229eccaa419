"""The breaker: it opens after five failures in a row, probes with a pause that chance spreads, closes at an answer."""

import pytest

from nestor.upstream.breaker import MOST_FAILURES, PROBE_PAUSE, PROBE_SPREAD, QUIET, Breaker


def _failed(times: int, now: float = 100.0, chance: float = 0.0) -> Breaker:
    breaker = Breaker().succeeded(now)
    for _ in range(times):
        breaker = breaker.failed(now, chance)
    return breaker


def test_it_stays_closed_for_four_failures_and_opens_at_the_fifth() -> None:
    assert not _failed(MOST_FAILURES - 1).is_open
    assert _failed(MOST_FAILURES).is_open


def test_an_answer_between_failures_starts_the_count_again() -> None:
    breaker = _failed(MOST_FAILURES - 1).succeeded(101.0)
    assert not breaker.failed(102.0, 0).is_open


def test_one_answer_closes_it() -> None:
    assert not _failed(MOST_FAILURES + 3).succeeded(110.0).is_open


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_probe_is_due_after_the_pause_and_what_chance_adds_to_it(chance: float) -> None:
    breaker = _failed(MOST_FAILURES, chance=chance)
    due = 100.0 + PROBE_PAUSE + PROBE_SPREAD * chance
    assert not breaker.wants_probe(due - 0.01)
    assert breaker.wants_probe(due + 0.01)


def test_probes_come_often_enough_to_find_a_mended_parent_within_five_seconds() -> None:
    longest_probe = 2.0
    assert 2 * (PROBE_PAUSE + PROBE_SPREAD) + longest_probe <= 5.0


def test_it_looks_after_the_first_failure_already_and_after_a_long_silence() -> None:
    assert _failed(1).wants_probe(102.0)
    quiet = Breaker().succeeded(100.0)
    assert not quiet.wants_probe(100.0 + QUIET - 0.1)
    assert quiet.wants_probe(100.0 + QUIET)


def test_a_new_one_looks_at_once() -> None:
    assert Breaker().wants_probe(0.0)


def test_it_remembers_since_when_it_is_open_and_asks_for_more_patience_the_longer_that_is() -> None:
    breaker = _failed(MOST_FAILURES).failed(200.0, 0)
    assert breaker.since == 100.0
    assert breaker.retry_after(101.0) == 5
    assert breaker.retry_after(160.0) == 30
    assert breaker.retry_after(10_000.0) == 60
