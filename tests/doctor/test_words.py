"""Phrases."""

from datetime import timedelta

import pytest

from nestor.doctor.words import counted, lasting, listed, quoted


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=0.7), "0.7 seconds"),
        (timedelta(seconds=30), "30 seconds"),
        (timedelta(minutes=-3), "3 minutes"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=30), "30 days"),
        (timedelta(days=3650), "10 years"),
    ],
)
def test_a_length_of_time_has_its_natural_unit(length: timedelta, words: str) -> None:
    assert lasting(length) == words


def test_what_others_wrote_cannot_steer_a_terminal() -> None:
    assert quoted("a\x1b[31m\n b\u202e") == r"a\x1b[31m b\u202e"
    assert len(quoted("x" * 1000)) < 310


def test_lists_and_numbers() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert (counted(1, "problem"), counted(2, "problem")) == ("1 problem", "2 problems")
