"""Which desired properties count, of every order in which they can come."""

import random
from typing import TYPE_CHECKING, Any

from nestor.document import merge
from nestor.edge.desired import UNKNOWN, Apply, Desired, Ignore, Reread

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN = Desired({"a": 1, "b": {"c": 2, "d": 3}}, 4)


def patch(version: object, **keys: Any) -> dict[str, Any]:
    return {**keys, "$version": version}


def test_a_whole_twin_counts_without_its_metadata() -> None:
    twin = {"desired": {"a": 1, "$version": 7, "$metadata": {"a": {}}}, "reported": {"$version": 3}}
    assert UNKNOWN.read(twin, UNKNOWN) == (Desired({"a": 1}, 7), Apply({"a": 1}, 7))


def test_a_twin_without_a_version_changes_nothing() -> None:
    for twin in ({}, {"desired": {}}, {"desired": None}, {"desired": {"$version": "9"}}, [], None):
        assert KNOWN.read(twin, KNOWN) == (KNOWN, Ignore())


def test_a_twin_of_a_lower_version_is_handed_on() -> None:
    known, verdict = KNOWN.read({"desired": {"z": 1, "$version": 2}}, KNOWN)
    assert verdict == Apply({"z": 1}, 2)
    assert known.version == 2


def test_a_reading_that_a_patch_has_overtaken_does_not_take_the_patch_back() -> None:
    known, _ = KNOWN.hear(patch(5, a=9))
    assert known.read({"desired": {"a": 1, "$version": 4}}, KNOWN) == (known, Reread())
    assert known.read({"desired": {"a": 9, "$version": 5}}, KNOWN)[0].version == 5


def test_a_patch_that_follows_is_merged() -> None:
    known, verdict = KNOWN.hear(patch(5, b={"c": 9}))
    assert verdict == Apply({"a": 1, "b": {"c": 9, "d": 3}}, 5)
    assert known == Desired({"a": 1, "b": {"c": 9, "d": 3}}, 5)


def test_null_deletes_at_every_depth() -> None:
    _, verdict = KNOWN.hear(patch(5, a=None, b={"c": None}, e={"f": None}))
    assert verdict == Apply({"b": {"d": 3}, "e": {}}, 5)


def test_a_patch_that_is_old_or_came_before_is_ignored() -> None:
    for version in (-1, 0, 3, 4):
        assert KNOWN.hear(patch(version, a=2)) == (KNOWN, Ignore())


def test_a_gap_in_the_versions_asks_for_a_reading() -> None:
    assert KNOWN.hear(patch(6, a=2)) == (KNOWN, Reread())


def test_a_patch_without_a_version_that_is_one_asks_for_a_reading() -> None:
    for version in (None, "5", 5.0, True):
        assert KNOWN.hear(patch(version, a=2)) == (KNOWN, Reread())
    assert KNOWN.hear({"a": 2}) == (KNOWN, Reread())


def test_a_patch_that_is_no_object_asks_for_a_reading() -> None:
    for heard in (None, [], "a", 5):
        assert KNOWN.hear(heard) == (KNOWN, Reread())


def test_a_patch_that_may_be_the_whole_document_asks_for_a_reading() -> None:
    whole = patch(5, a=1) | {"$metadata": {"a": {}}}  # `b` was deleted while nobody listened: no null tells of it
    assert KNOWN.hear(whole) == (KNOWN, Reread())


def test_a_patch_before_the_first_reading_asks_for_one() -> None:
    assert UNKNOWN.hear(patch(1, a=1)) == (UNKNOWN, Reread())


def test_whatever_the_order_and_the_losses_the_newest_document_is_what_is_known() -> None:
    """The law of this file: a hub, a way that shuffles, repeats and loses, and a reader who does as told."""
    for seed in range(300):
        chance = random.Random(seed)
        document: Mapping[str, Any] = {}
        version, way, known = 1, [], UNKNOWN
        for _ in range(chance.randint(1, 12)):
            change = {chance.choice("abc"): chance.choice([None, 1, {"x": None}, {"x": chance.random()}])}
            document, version = merge(document, change), version + 1
            way += [patch(version, **change)] * chance.choice([0, 1, 1, 1, 2])
        chance.shuffle(way)
        twin = {"desired": patch(version, **document)}
        for heard in way:
            known, verdict = known.hear(heard)
            if isinstance(verdict, Reread):
                known, _ = known.read(twin, known)
        if way and max(heard["$version"] for heard in way) == version:
            assert known == Desired(document, version), seed
