"""Nouns of the model to rows and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from nestor.ledger.rows import moment, seconds, serial_bytes
from support.entries import NOON


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 0x100, 2**159 - 1])
def test_a_serial_number_is_kept_in_its_shortest_bytes(serial: int) -> None:
    assert int.from_bytes(serial_bytes(serial), "big") == serial
    assert serial_bytes(serial)[0] != 0


@pytest.mark.parametrize("year", [1950, 1970, 2026, 2038, 9999])
def test_a_moment_of_any_year_comes_back(year: int) -> None:
    then = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert moment(seconds(then)) == then


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    assert seconds(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == seconds(NOON)
