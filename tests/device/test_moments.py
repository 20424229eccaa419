"""The words for a moment: those that the runtime takes, and those that it refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from nestor.device.moments import Moment, better, parse_moment

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("80%", Moment(percent=80)),
        ("1%", Moment(percent=1)),
        ("99%", Moment(percent=99)),
        ("60min", Moment(before=timedelta(minutes=60))),
        ("7day", Moment(before=7 * DAY)),
    ],
)
def test_the_words_of_the_runtime_are_read(word: str, moment: Moment) -> None:
    assert parse_moment(word) == moment


@pytest.mark.parametrize("word", ["60m", "1d", "2h", "80", "", "0%", "100%", "0min", "-5%", "8 %", "80.5%", "1days"])
def test_other_words_are_refused(word: str) -> None:
    assert parse_moment(word) is None


def test_a_moment_lies_within_the_life_of_a_certificate() -> None:
    end = BEGIN + 10 * DAY
    assert Moment(percent=80).within(BEGIN, end) == BEGIN + 8 * DAY
    assert Moment(before=DAY).within(BEGIN, end) == end - DAY


def test_a_time_longer_than_the_life_is_its_begin() -> None:
    assert Moment(before=999_999_999 * DAY).within(BEGIN, BEGIN + DAY) == BEGIN


def test_a_number_of_any_length_is_only_refused() -> None:
    assert parse_moment("9" * 5000 + "%") is None
    assert better("9" * 5000 + "m", "retry") == "4%"
