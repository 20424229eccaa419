"""Structured fields: what is written is read, and what is not exactly in form is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est.structured import (
    Item,
    read_dictionary,
    read_item,
    read_list,
    write_dictionary,
    write_item,
    write_list,
)

LARGEST = 10**15 - 1
ITEMS: st.SearchStrategy[Item] = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).filter(lambda text: text.isascii() or text.isprintable()),
    st.integers(-LARGEST, LARGEST),
)
KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,9}", fullmatch=True)


@given(ITEMS)
def test_an_item_that_is_written_is_read(item: Item) -> None:
    assert read_item(write_item(item)) == item


@given(st.lists(ITEMS, min_size=1, max_size=5))
def test_a_list_is_one_whatever_lines_it_came_on(items: list[Item]) -> None:
    assert read_list([write_list(items)]) == read_list(map(write_item, items)) == items


@given(st.dictionaries(KEYS, ITEMS, min_size=1, max_size=4))
def test_a_dictionary_that_is_written_is_read(items: dict[str, Item]) -> None:
    assert read_dictionary([write_dictionary(items)]) == items


@given(st.text(max_size=60))
def test_nothing_is_raised_but_that_it_is_no_field(text: str) -> None:
    for read in (read_item, lambda text: read_list([text]), lambda text: read_dictionary([text])):
        try:
            read(text)
        except Malformed:
            continue


def test_the_forms_of_the_standard_are_read() -> None:
    assert read_item("  :aGVsbG8=:  ") == b"hello"
    assert read_item('"a \\"quoted\\" \\\\ word"') == 'a "quoted" \\ word'
    assert read_item('%"f%c3%bc%25"') == "fü%"
    assert read_list(["tea/green \t, -42", '"x"']) == ["tea/green", -42, "x"]
    assert read_dictionary(["a=1, b=:AA==:", "c=word"]) == {"a": 1, "b": b"\0", "c": "word"}


def test_text_is_written_without_anything_that_is_not_ascii() -> None:
    assert write_item("plain") == '"plain"'
    assert write_item('fü"%') == '%"f%c3%bc%22%25"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":aGVsbG8:",
        ":aGVsbG8=",
        ":aGVsbG9=:",
        ":aGVs bG8=:",
        ":aGVsbG8=:;a",
        ":aGVsbG8=:, :aGVsbG8=:",
        ":-_==:",
        "aGVsbG8=:",
        '"open',
        '"bad \\escape"',
        '"tab\t"',
        '%"f%C3%BC"',
        '%"%ff"',
        "1.5",
        "1234567890123456",
        "?1",
    ],
)
def test_what_is_not_exactly_an_item_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_item(text)


@pytest.mark.parametrize("lines", [[":AA==:,"], [",:AA==:"], [":AA==: :AA==:"], ["a", ""], [":AA==:;q=1"]])
def test_what_is_not_exactly_a_list_is_refused(lines: list[str]) -> None:
    with pytest.raises(Malformed):
        read_list(lines)


@pytest.mark.parametrize("text", ["a", "a=", "A=1", "a=1, a=2", "a =1", "a=1;b", "=1"])
def test_what_is_not_exactly_a_dictionary_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_dictionary([text])


def test_a_number_that_no_field_can_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match=str(LARGEST + 1)):
        write_item(LARGEST + 1)
