"""Whose guesses are remembered, for how long, and what a right password mends."""

from nestor.access.suspicion import Guesses
from support.asking import suspicion

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_who_has_not_failed_for_ten_minutes_goes_first() -> None:
    known = suspicion()
    assert known.doubt(HERE, "dev1", 0.0) == 0
    known.failed(HERE, "dev1", 0.0)
    assert known.doubt(HERE, "dev1", 1.0) == 2
    assert known.doubt(HERE, "dev2", 1.0) == known.doubt(THERE, "dev1", 1.0) == 1
    assert known.doubt(THERE, "dev2", 1.0) == 0
    assert known.doubt(HERE, "dev1", 600.0) == 0


def test_a_few_failures_are_usual() -> None:
    known = suspicion(tries=3)
    assert [known.failed(HERE, "dev1", 0.0) for _ in range(3)] == [(0.0, None)] * 3
    assert known.is_guessing(HERE, "dev1", 0.0)
    assert known.is_guessing(HERE, "dev2", 0.0), "whoever fails too often may go on with other names"
    assert not known.is_guessing(THERE, "dev1", 0.0), "the user may be right there"
    assert not known.is_guessing(HERE, "dev2", 20.0)


def test_who_fails_for_a_user_for_whom_too_many_fail_is_guessing_too() -> None:
    known = suspicion(tries=3)
    for number in range(3):
        known.failed(f"198.51.100.{number}", "dev1", 0.0)
    assert not known.is_guessing(HERE, "dev1", 0.0)
    known.failed(HERE, "dev1", 0.0)
    assert known.is_guessing(HERE, "dev1", 0.0)
    assert not known.is_guessing(HERE, "dev2", 0.0)


def test_what_is_told_names_the_first_and_counts_the_others() -> None:
    guesses = Guesses()
    assert guesses.note(HERE, "dev1", 100.0) is not None
    for number in range(5000):
        assert guesses.note(f"10.0.{number >> 8}.{number & 255}", f"user{number % 3}", 101.0) is None
    told = guesses.note(HERE, "x" * 5000, 160.0)
    assert told is not None
    assert "for user0 and 3 more, from 10.0.0.0 and over 999 more, 5001 more than is usual" in told.sentence
    assert len(told.sentence) < 300


def test_no_name_is_too_long_to_be_told() -> None:
    told = Guesses().note(HERE, "x" * 5000, 100.0)
    assert told is not None
    assert len(told.sentence) < 300
