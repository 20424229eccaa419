"""A twin as a value: merged as RFC 7396 says, and the difference that a module is told of."""

from typing import Any

import pytest

from standin.twin import Twin, difference, merged


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": None}, {}),
    ],
)
def test_a_patch_is_merged_and_null_deletes(document: Any, patch: Any, result: Any) -> None:
    assert merged(document, patch) == result


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 1, "b": 2}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}),
        ({"a": {"b": 1}}, {"a": "text"}),
        ({"a": "text"}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": 1}),
        ({}, {"a": {}}),
    ],
)
def test_the_difference_of_two_documents_makes_one_of_the_other(old: Any, new: Any) -> None:
    assert merged(old, difference(old, new)) == new


def test_a_twin_never_changes_but_makes_the_next() -> None:
    twin = Twin({"a": 1})
    after = twin.wanting({"a": 2}).saying({"b": 3})
    assert twin == Twin({"a": 1})
    assert after.document() == {"desired": {"a": 2, "$version": 2}, "reported": {"b": 3, "$version": 2}}
