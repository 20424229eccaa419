"""What is answered to a wish, by property: the code, the reason, what is in force; small, whatever was wished."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.twin.acknowledge import FAILED, MOST_BYTES, Answer, acknowledge, placed, property_of
from nestor.twin.legal import size
from standin.rules import faults

KNOWN = ("listener", "ca", "profiles", "access", "labels", "keys", "ledger", "log", "reporting", "twin")
GOOD = {"listener": {"port": 8085}, "log": {"level": "info"}}


def answer(desired: dict[str, Any], in_force: dict[str, Any] | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    return acknowledge(Answer(desired, GOOD if in_force is None else in_force, 7, KNOWN, **more))


def test_what_is_in_force_is_answered_with_its_value_and_version() -> None:
    assert answer(GOOD)["listener"] == {"value": {"port": 8085}, "ac": 200, "av": 7}
    assert {*answer(GOOD)} == {"listener", "log"}


def test_of_a_refused_wish_each_property_says_what_became_of_it() -> None:
    wished = {"listener": {"port": "x"}, "log": {"level": "info"}, "labels": {"a": {}}}
    told = answer(wished, faults=["listener.port: it has to be a whole number."], hint="Write 8085.")
    assert {key: one["ac"] for key, one in told.items()} == {"listener": 400, "log": 200, "labels": 400}
    assert told["listener"]["ad"] == "listener.port: it has to be a whole number. Write 8085."
    assert told["listener"]["value"] == {"port": 8085}
    assert "listener cannot be" in told["labels"]["ad"]
    assert "ad" not in told["log"]
    assert told["labels"]["value"] == "defaults"


def test_a_fault_that_names_no_property_is_about_all_that_changed() -> None:
    told = answer({"listener": {"port": 1}, "log": {"level": "info"}}, faults=["The disk is gone."])
    assert {key: one["ac"] for key, one in told.items()} == {"listener": 400, "log": 200}


def test_a_fault_of_ours_says_so() -> None:
    assert answer({"listener": {}}, faults=["Nestor failed."], code=FAILED)["listener"]["ac"] == 500


def test_a_note_is_told_where_it_belongs() -> None:
    told = answer(GOOD, notes=["log.level: widened."])
    assert (told["log"]["ac"], told["log"]["ad"], "ad" in told["listener"]) == (200, "log.level: widened.", False)
    assert {one["ad"] for one in answer(GOOD, notes=["It could not be kept."]).values()} == {"It could not be kept."}


def test_a_large_value_is_answered_by_its_digest_and_a_hash_always() -> None:
    large = {"labels": {f"line{number}": {"profile": "server"} for number in range(20)}}
    hashed = {"access": {"users": {"u": {"passwordHash": "$argon2id$x"}}}}
    for document in (large, hashed):
        ((told),) = answer(document, document).values()
        assert told["value"].startswith("sha256:")


def test_a_line_of_a_file_finds_its_key() -> None:
    document = {"access": {"users": {"u": {"passwordHash": "file:u.hash"}}}, "keys": {"passphrase": "env:NESTOR_KEY"}}
    line = "The file of file:u.hash cannot be read."
    assert placed(line, document) == f"access.users.u.passwordHash: {line}"
    assert placed("The environment variable NESTOR_KEY is not set.", document).startswith("keys.passphrase: ")
    assert placed("access: wrong", document) == "access: wrong"
    assert placed("Something else.", document) == "Something else."


@pytest.mark.parametrize(
    ("line", "key"), [("a.b: x", "a.b"), ("a.c: x", "a"), ("a: x", "a"), ("ab: x", None), ("", None)]
)
def test_a_line_is_about_the_property_that_its_path_begins_with(line: str, key: str | None) -> None:
    assert property_of(line, ["a", "a.b"]) == key


def test_unknown_properties_are_answered_in_part_and_only_under_keys_that_a_report_may_have() -> None:
    wished = {**{f"odd{number}": 1 for number in range(50)}, "a.b": 1, "$x": 1, "a b": 1, "x" * 65: 1, "listener": {}}
    told = answer(wished, faults=["odd1: there is no such key."])
    assert next(iter(told)) == "listener"
    assert len(told) == 5


_TEXTS = st.text(max_size=3000)


@given(
    desired=st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=80), _TEXTS, max_size=30),
    in_force=st.dictionaries(st.sampled_from(KNOWN), st.dictionaries(st.just("key"), _TEXTS), max_size=10),
    lines=st.lists(st.sampled_from(KNOWN).map(lambda key: f"{key}.x: ") | st.just(""), max_size=20),
    text=_TEXTS,
    code=st.sampled_from([400, 500]),
)
def test_whatever_was_wished_the_answers_are_few_and_legal(
    desired: dict[str, Any], in_force: dict[str, Any], lines: list[str], text: str, code: int
) -> None:
    told = answer(desired, in_force, faults=[line + text for line in lines], hint=text, code=code)
    assert size(told) <= MOST_BYTES
    assert list(faults(told)) == []
    assert {*desired} & {*KNOWN} <= {*told}
