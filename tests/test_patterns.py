"""Patterns: the words with which the document names devices."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.document import any_contains, any_covers, contains, covers, literal

ALPHABET = st.text("ab*?\\[].-", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dev1", "dev1"),
        ("DEV1", "dev1"),
        ("dev1", "Dev1"),
        ("*", ""),
        ("*", "anything at all"),
        ("line1-*", "line1-"),
        ("line1-*", "LINE1-press"),
        ("line?-*", "line7-press"),
        ("*-gw", "a-gw-gw"),
        ("a*b*c", "axxbxxbxxc"),
        (r"a\*", "a*"),
        (r"a\?", "a?"),
        (r"a\\", "a\\"),
        ("a\\", "a\\"),
        ("STRAßE", "straßE"),
    ],
)
def test_a_pattern_covers(pattern: str, text: str) -> None:
    assert covers(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dev1", "dev10"),
        ("dev1", "xdev1"),
        ("dev1", ""),
        ("", "dev1"),
        ("line1-*", "line10-press"),
        ("line1-*", "xline1-press"),
        ("line?-*", "line-press"),
        ("?", ""),
        ("?", "ab"),
        ("dev.", "dev1"),
        ("dev[0-9]", "dev1"),
        ("dev1|dev2", "dev2"),
        ("dev1$", "dev1"),
        ("dev1", "dev1\n"),
        (r"a\*", "ab"),
        (r"a\?", "ab"),
        ("stra\u00dfe", "strasse"),
        ("k9", "\u212a9"),
        ("\u00fc", "\u00dc"),
    ],
)
def test_a_pattern_does_not_cover(pattern: str, text: str) -> None:
    assert not covers(pattern, text)


@given(pattern=st.text("ab*?-", max_size=10), text=st.text("ab-", max_size=12))
def test_patterns_mean_what_shells_mean_by_them(pattern: str, text: str) -> None:
    assert covers(pattern, text) == fnmatch.fnmatchcase(text, pattern)


@given(text=ALPHABET, other=ALPHABET)
def test_a_literal_covers_itself_only(text: str, other: str) -> None:
    assert covers(literal(text), text)
    assert covers(literal(text), other) == (text.casefold() == other.casefold())


@given(pattern=st.text(max_size=20), text=st.text(max_size=20))
def test_no_text_breaks_the_matching(pattern: str, text: str) -> None:
    covers(pattern, text)


def test_no_pattern_is_slow() -> None:
    started = time.perf_counter()
    assert not covers("*a" * 60 + "b", "a" * 255)
    assert time.perf_counter() - started < 0.5


def test_any_of_several_patterns_is_enough() -> None:
    assert any_covers(("a*", "b*"), "b1")
    assert not any_covers((), "b1")


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        ("*", "*"),
        ("*", "line1-*"),
        ("line*", "LINE1-*"),
        ("line?-*", "line1-*"),
        ("line?-*", "line?-7"),
        ("*-gw", "a*-gw"),
        ("a**", "a*"),
        (r"a\*", r"a\*"),
        ("a*", r"a\*b"),
        ("a?", r"a\*"),
    ],
)
def test_a_pattern_contains_another(pattern: str, other: str) -> None:
    assert contains(pattern, other)


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        ("line1-*", "*"),
        ("line1-*", "line*"),
        ("line1-7", "line1-?"),
        ("line1-?", "line1-*"),
        ("???", "*"),
        ("*a*", "*"),
        (r"a\*", "a*"),
        ("", "*"),
        ("a", ""),
    ],
)
def test_a_pattern_does_not_contain_what_may_be_more(pattern: str, other: str) -> None:
    assert not contains(pattern, other)


@given(pattern=st.text("ab*?\\", max_size=6), other=st.text("ab*?\\", max_size=6), text=st.text("ab*?", max_size=6))
def test_whatever_a_contained_pattern_covers_the_container_covers(pattern: str, other: str, text: str) -> None:
    if contains(pattern, other) and covers(other, text):
        assert covers(pattern, text)
    if covers(pattern, text):
        assert contains(pattern, literal(text))


@given(pattern=ALPHABET)
def test_a_pattern_contains_itself_and_everything_contains_it(pattern: str) -> None:
    assert contains(pattern, pattern)
    assert any_contains(("x", "*"), pattern)


def test_no_pattern_is_slow_to_compare() -> None:
    started = time.perf_counter()
    assert not contains("*a" * 60 + "b", "a?" * 120)
    assert time.perf_counter() - started < 0.5
