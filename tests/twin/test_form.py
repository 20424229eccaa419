"""The form of a twin document: what no hub would hold is refused by its path, however large, deep or odd it is."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import SettingsError
from nestor.twin.form import MOST_BYTES, MOST_KEYS, check_form, shown


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {"end": 1}
    for _ in range(levels):
        document = {"a": document}
    return document


def refusal(document: Any) -> str:
    with pytest.raises(SettingsError) as told:
        check_form(document)
    assert len(told.value.sentence) < 4096
    return told.value.sentence


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"listener": {"port": 8085, "hostnames": "gw3, größe"}, "a": {"b": {"c": None, "d": True, "e": 0.5}}},
        {"a": -(2**52), "b": 2**52 - 1, "c": "x" * 4096},
        deep(9),
    ],
)
def test_what_a_hub_holds_is_taken(document: dict[str, Any]) -> None:
    check_form(document)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"a": {"b": ["x"]}}, "a.b: several values"),
        ({"a": {"b": [None]}}, "a.b: several values"),
        ({"a": 2**52}, "a: the number"),
        ({"a": {"b": float("nan")}}, "a.b: it is not a number"),
        ({"a": float("-inf")}, "a: it is not a number"),
        ({"a": "x" * 4097}, "a: the text is longer"),
        ({"a": "ü" * 2049}, "a: the text is longer"),
        ({"a": "\ud800"}, "a: the text is not Unicode"),
        ({"a": b"bytes"}, "a: a twin holds no such value"),
        ({"a": {"b": datetime.now(UTC)}}, "a.b: a twin holds no such value"),  # noqa: TID251 -- any time
        ({"a": {5: 1}}, "a: a key is a text"),
        ({"a": {"": 1}}, "a: a key is a text"),
        ({"a": {"x" * 1025: 1}}, "a: a key is a text"),
        ({"a": {"b\u202e": 1}}, "a: a key holds signs"),
        ({"a": {"b\x00": 1}}, "a: a key holds signs"),
        ({"listener\u202e": 1}, "the document: a key holds signs"),
        (deep(10), ": tables are nested more than 10"),
        (deep(100_000), ": tables are nested more than 10"),
    ],
)
def test_what_no_hub_holds_is_refused_by_its_path(document: Any, told: str) -> None:
    assert told in refusal(document)


@pytest.mark.parametrize(
    "document",
    [
        {f"k{number}": "x" * 4000 for number in range(9)},
        {"a": {f"k{number}": number for number in range(5000)}},
        {"a" * 1000 + str(number): 1 for number in range(33)},
        {str(number): 1 for number in range(100_000)},
    ],
    ids=["texts", "numbers", "keys", "many"],
)
def test_a_document_that_is_larger_than_a_twin_is_refused(document: dict[str, Any]) -> None:
    assert f"{MOST_BYTES:,} bytes" in refusal(document)


def test_many_faults_are_told_in_part() -> None:
    tables = {f"t{table}": {f"k{number}": [] for number in range(200)} for table in range(3)}
    assert len(refusal(tables).splitlines()) <= 25


def test_a_table_of_very_many_keys_is_refused_by_its_path() -> None:
    check_form({"profiles": {f"p{number}": {} for number in range(MOST_KEYS)}})
    assert refusal({"profiles": {f"p{number}": {} for number in range(MOST_KEYS + 1)}}) == (
        f"profiles: the table has more than {MOST_KEYS} keys."
    )


def test_a_path_is_shown_short_and_on_one_line() -> None:
    assert shown("") == "the document"
    assert shown("a\nb") == "a?b"
    assert len(shown("x" * 5000)) < 70


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)


@given(st.dictionaries(st.text(max_size=8), _ODD, max_size=5))
def test_whatever_comes_is_taken_or_refused_with_a_sentence(document: dict[str, Any]) -> None:
    with suppress(SettingsError):
        check_form(document)
