"""Patches lead from any document to any other, by the merge that the hub does; and again after one that got lost."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nestor.document import merge
from nestor.twin.legal import size
from nestor.twin.patching import difference, doubtful, portions

_keys = st.sampled_from("abcd")
_leaves = st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]) | st.lists(st.integers(0, 1), max_size=2)
_values = st.recursive(_leaves, lambda below: st.dictionaries(_keys, below, min_size=1, max_size=3), max_leaves=6)
documents = st.dictionaries(_keys, _values, max_size=4)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: True is not 1."""
    return repr(one) == repr(other) if not isinstance(one, dict) else _same_maps(one, other)


def _same_maps(one: dict[str, Any], other: Any) -> bool:
    return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)


@given(documents, documents)
def test_a_difference_laid_over_one_document_gives_the_other(held: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert same(merge(held, difference(held, wanted)), wanted)


@given(documents)
def test_nothing_differs_from_itself(document: dict[str, Any]) -> None:
    assert difference(document, document) == {}


@given(documents, documents, documents, st.booleans())
def test_after_a_patch_that_may_have_been_lost_the_next_one_leads_there_all_the_same(
    held: dict[str, Any], first: dict[str, Any], wanted: dict[str, Any], arrived: bool
) -> None:
    lost = difference(held, first)
    really = merge(held, lost) if arrived else held
    assert same(merge(really, difference(doubtful(held, lost), wanted)), wanted)


@given(documents, documents, st.integers(1, 60))
def test_portions_are_the_patch_and_none_is_too_large_that_could_be_smaller(
    held: dict[str, Any], wanted: dict[str, Any], most: int
) -> None:
    patch = difference(held, wanted)
    parts = list(portions(patch, most))
    assert {key: value for part in parts for key, value in part.items()} == patch
    assert [part for part in parts if size(part) > most and len(part) > 1] == []


def test_what_the_hub_keeps_for_itself_is_left_alone() -> None:
    assert difference({"$version": 3, "$metadata": {}, "old": 1}, {}) == {"old": None}
