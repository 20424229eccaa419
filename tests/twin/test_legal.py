"""Whatever is to be reported, edgeHub takes it: held to the rules that its stand-in enforces."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.twin.legal import LARGEST, SMALLEST, legal, legal_key, shortened, size
from standin.rules import faults

_plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(timezones=st.just(UTC))
documents = st.dictionaries(
    st.text(),
    st.recursive(_plain, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4)),
    max_size=6,
)


@given(documents)
def test_whatever_comes_in_edgehub_takes_what_goes_out(document: dict[str, Any]) -> None:
    assert list(faults(legal(document))) == []


@given(documents)
def test_what_is_legal_stays_as_it_is(document: dict[str, Any]) -> None:
    once = legal(document)
    if all(character not in str(once) for character in "%~"):
        assert legal(once) == once


@given(st.text(), st.text())
def test_two_names_never_become_one_key(one: str, other: str) -> None:
    assert (legal_key(one) == legal_key(other)) is (one == other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("edgeCa", "edgeCa"),
        ("gw3.plant.example", "gw3%2Eplant%2Eexample"),
        ("a b", "a%20b"),
        ("$version", "%24version"),
        ("50%", "50%25"),
    ],
)
def test_a_key_can_be_read(name: str, key: str) -> None:
    assert legal_key(name) == key


def test_a_long_name_becomes_a_short_key_of_its_own() -> None:
    one, other = legal_key("p" * 5000 + "1"), legal_key("p" * 5000 + "2")
    assert one != other
    assert max(len(one), len(other)) <= 64


def test_numbers_that_do_not_pass_become_texts() -> None:
    told = legal({"large": LARGEST + 1, "small": SMALLEST, "odd": float("nan")})
    assert told == {"large": str(LARGEST + 1), "small": SMALLEST, "odd": "nan"}


def test_what_is_not_there_is_left_out_because_null_would_delete() -> None:
    told = legal({"a": None, "b": {"c": None}, "d": "", "e": [None, 1], "f": 0, "g": False})
    assert told == {"b": {}, "d": "", "e": [1], "f": 0, "g": False}


def test_a_time_is_told_in_utc() -> None:
    assert legal({"at": datetime(2026, 5, 4, 12, tzinfo=UTC)}) == {"at": "2026-05-04T12:00:00Z"}


@given(st.text(), st.integers(min_value=8, max_value=200))
def test_a_shortened_text_fits_and_says_that_it_was_cut(text: str, most: int) -> None:
    short = shortened(text, most)
    assert size(short) - 2 <= most
    assert short == text or short.endswith("...")
