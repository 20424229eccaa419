"""The reported document stays under 8 KB and legal whatever happens, and is cut in the order that it says."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nestor.twin.legal import size
from nestor.twin.reported import LIMIT, OTHERS, reported
from standin.rules import faults

_letters = st.sampled_from(["a", ".", "é", "\x00", "\ud800", "\U0001f600", "%"])
_text = st.builds(str.__mul__, _letters, st.sampled_from([0, 1, 30, 90, 600, 6000]))
_leaf = st.integers() | st.booleans() | _text
_below = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=5
)
_crowds = st.builds(
    lambda number, text, one: {f"{text}{at}": one for at in range(number)},
    st.sampled_from([0, 3, 90, 300]),
    _text,
    _leaf,
)
_answer = st.fixed_dictionaries({"value": _below, "ac": st.integers(0, 600), "av": st.integers(), "ad": _text})
_answers = st.builds(dict.fromkeys, _crowds, _answer)
_status = st.dictionaries(st.sampled_from(["issuance", "caStatus", "health"]), _below | _crowds)


@settings(max_examples=80)
@given(_answers, _status)
def test_whatever_happens_the_document_is_small_and_legal(answers: dict[str, Any], status: dict[str, Any]) -> None:
    document = reported(answers, status)
    assert size(document) <= LIMIT < 8 * 1024
    assert list(faults(document)) == []


def answer(code: int, text: str = "", value: object = 7) -> dict[str, object]:
    return {"value": value, "ac": code, "av": 7, "ad": text}


def test_what_has_room_is_told_whole() -> None:
    answers = {"listener": answer(200, "In force.")}
    status = {"issuance": {"total": 3, "byProfile": {"edgeCa": 1, "deviceIdentity": 2}}}
    assert reported(answers, status) == answers | status


def test_a_status_leaves_out_what_is_empty_but_an_empty_value_is_acknowledged() -> None:
    answers = {"listener": answer(400, value={})}
    status = {"health": {"ready": True, "problems": {}}, "caStatus": {"problem": ""}}
    assert reported(answers, status) == {"listener": answers["listener"], "health": {"ready": True}}


def test_of_many_routes_the_first_are_told_and_how_many_more_there_are() -> None:
    route = {"state": "fails", "since": "2026-05-04T12:00:00Z", "lastError": "It does not answer. " * 5}
    routes = {f"a-route-with-a-name-as-long-as-it-may-be-{at:04}": route for at in range(300)}
    document = reported({"listener": answer(200)}, {"routeStatus": {"failing": 300, "byName": routes}})
    assert size(document) <= LIMIT
    told = document["routeStatus"]["byName"]
    assert next(iter(told)) == next(iter(routes))
    assert told[OTHERS] == 300 - len(told) + 1
    assert document["listener"]["ac"] == 200


def test_of_many_counts_the_largest_are_told_and_the_others_added_up() -> None:
    counts = {f"profile-with-a-long-name-{at:04}": at for at in range(400)}
    told = reported({}, {"issuance": {"total": 5, "byProfile": counts}})["issuance"]
    assert told["total"] == 5
    assert told["byProfile"]["profile-with-a-long-name-0399"] == 399
    assert OTHERS in told["byProfile"]
    assert sum(told["byProfile"].values()) == sum(counts.values())


def test_refused_properties_are_acknowledged_longest() -> None:
    answers = {f"good{at}": answer(200, "In force. " * 20) for at in range(100)}
    answers |= {f"bad{at}": answer(400, "There is no such key. " * 20) for at in range(4)}
    told = reported(answers, {"version": "0.1.0"})
    assert {name for name in told if name.startswith("bad")} == {f"bad{at}" for at in range(4)}
    assert told["version"] == "0.1.0"
    assert "good0" in told


def test_a_long_value_is_acknowledged_by_its_digest() -> None:
    long = {f"user{at}": "x" * 40 for at in range(300)}
    told = reported({"access": answer(200, value=long)}, {})["access"]
    assert told["value"].startswith("sha256:")
    assert told["ac"] == 200


def test_the_status_goes_before_an_acknowledgement_of_the_same_name() -> None:
    told = reported({"caStatus": answer(400, "There is no such key.")}, {"caStatus": {"chainLength": 1}})
    assert told == {"caStatus": {"chainLength": 1}}


def test_a_fingerprint_is_never_cut() -> None:
    crowd = {f"k{at}": answer(400, "x" * 900) for at in range(200)}
    told = reported(crowd, {"caStatus": {"fingerprint": "ab" * 32}})
    assert told["caStatus"]["fingerprint"] == "ab" * 32
