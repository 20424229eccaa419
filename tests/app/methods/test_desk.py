"""The desk of direct methods: every call is answered, in time, with a sentence; nothing that is asked can break it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nestor.app.answer import Answer
from nestor.app.methods import desk
from nestor.app.methods.desk import DEADLINE, LARGEST, Methods, judge_payload
from nestor.app.methods.faults import STATUSES
from nestor.app.methods.form import Method, Nothing, Office
from nestor.app.methods.table import METHODS
from nestor.document import described
from nestor.errors import Malformed, NestorError
from nestor.events import Note, Trouble
from support.companions import Module, module, until


class Text(Answer):
    text: str = described("Some text.")


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data") as beside:
        await beside.hub.connect(beside)
        yield beside


def offer(monkeypatch: pytest.MonkeyPatch, handle: Any, *, changes: bool = False) -> None:
    """Let the desk know one more method, `more`."""
    more = Method("more", Nothing, Text, handle, changes=changes)
    monkeypatch.setattr(desk, "METHODS", {**METHODS, "more": more})


async def test_an_unknown_method_is_told_which_are_known(beside: Module) -> None:
    answer = await beside.hub.invoke("getStatsu")
    assert answer.status == 404
    assert answer.payload == {
        "error": "There is no direct method getStatsu.",
        "hint": "Known are getStatus, getCaCertificates, proveCa, listCertificates, getCertificate, revokeCertificate,"
        " listPending, approve, deny.",
    }


@pytest.mark.parametrize(
    ("method", "payload", "sentence"),
    [
        ("getStatus", {"x": 1}, "x: there is no such key."),
        ("getStatus", "now", "the payload: it has to be a table of keys."),
        ("proveCa", {}, "code: this key is needed."),
        ("proveCa", {"code": 7}, "code: it has to be a text."),
        ("proveCa", {"code": "a-b"}, "code: a verification code is up to 64 letters and digits."),
        ("listCertificates", {"devise": "gw3"}, "devise: there is no such key; did you mean device."),
        ("listCertificates", {"limit": 0}, "limit: it has to be at least 1."),
        ("listCertificates", {"cursor": "next"}, "cursor: a cursor is what the page before answered."),
        (
            "listCertificates",
            {"expiringIn": "soon"},
            "expiringIn: a duration is a whole number and a unit, from 1s to 100y: 90s, 60min, 12h, 30d or 20y.",
        ),
        ("getCertificate", {}, "the payload: say which certificate: by its serial or by its thumbprint."),
        (
            "getCertificate",
            {"serial": "zz"},
            "serial: zz is neither a serial number nor a thumbprint; write it in hex.",
        ),
        (
            "getCertificate",
            {"thumbprint": "abcd"},
            "thumbprint: a thumbprint has 40 digits in hex (SHA-1) or 64 (SHA-256).",
        ),
    ],
)
def test_a_payload_that_does_not_hold_is_told_where_and_why(method: str, payload: object, sentence: str) -> None:
    with pytest.raises(Malformed) as told:
        judge_payload(METHODS[method].payload, payload)
    assert told.value.sentence == sentence


_keys = st.sampled_from(["serial", "thumbprint", "limit", "cursor", "code", "device"]) | st.text()
_payloads = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_keys, below),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([method.payload for method in METHODS.values()]), _payloads)
def test_no_payload_whatever_does_more_than_be_refused(kind: Any, payload: object) -> None:
    try:
        judge_payload(kind, payload)
    except Malformed as fault:
        assert fault.sentence  # noqa: PT017 -- both outcomes are right


def test_a_payload_nested_without_an_end_is_refused() -> None:
    payload: dict[str, Any] = {}
    for _ in range(5000):
        payload = {"a": payload}
    with pytest.raises(Malformed, match="nested"):
        judge_payload(Nothing, payload)


def test_a_payload_larger_than_any_that_is_meant_is_not_even_looked_at() -> None:
    began = time.thread_time()
    with pytest.raises(Malformed, match="larger than"):
        judge_payload(METHODS["listCertificates"].payload, {f"k{number}": 1 for number in range(9000)})
    assert time.thread_time() - began < 0.05, "nobody else has a turn meanwhile"


async def test_a_payload_wrong_in_a_thousand_places_gets_an_answer_that_iot_hub_takes(beside: Module) -> None:
    answer = await beside.hub.invoke("getStatus", {f"key{at}": 1 for at in range(9000)})
    assert answer.status == 400
    assert len(json.dumps(answer.payload)) < 8 * 1024


async def test_the_status_is_answered_also_without_a_ledger(beside: Module) -> None:
    assert (await beside.hub.invoke("getStatus")).payload["issuance"]["total"] == 1
    (beside.stage.data / "ledger.db").rename(beside.stage.data / "aside.db")
    answer = await beside.hub.invoke("getStatus")
    assert answer.status == 200
    assert "issuance" not in answer.payload
    assert "ledger" in answer.payload["health"]["problems"]


async def test_a_method_that_takes_too_long_is_answered_and_goes_on(
    beside: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, done = asyncio.Event(), []

    async def slow(_office: Office, _: Nothing) -> Text:
        """Take long."""
        await go_on.wait()
        done.append(True)
        return Text(text="done")

    offer(monkeypatch, slow)
    beside.methods = Methods(beside.server, beside.methods._office.read_status, deadline=0.05)
    answer = await beside.hub.invoke("more")
    assert (answer.status, done) == (504, [])
    go_on.set()
    await until(lambda: done)
    assert DEADLINE < 30


async def test_a_method_that_fails_late_is_told_in_the_log(beside: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def slow(_office: Office, _: Nothing) -> Text:
        """Take long, then fail."""
        await go_on.wait()
        raise RuntimeError

    offer(monkeypatch, slow)
    beside.methods = Methods(beside.server, beside.methods._office.read_status, deadline=0.05)
    await beside.hub.invoke("more")
    go_on.set()
    await until(lambda: [told for told in beside.stage.told if isinstance(told, Trouble)])


async def test_only_so_many_methods_are_answered_at_a_time(beside: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def slow(_office: Office, _: Nothing) -> Text:
        """Take long."""
        await go_on.wait()
        return Text(text="done")

    offer(monkeypatch, slow)
    calls = [asyncio.ensure_future(beside.hub.invoke("more")) for _ in range(20)]
    await until(lambda: sum(call.done() for call in calls) == 12)
    go_on.set()
    statuses = [(await call).status for call in calls]
    assert sorted(statuses) == [200] * 8 + [429] * 12


async def test_a_bug_is_answered_without_its_inside_and_told_to_the_log(
    beside: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_office: Office, _: Nothing) -> Text:
        """Fail."""
        raise RuntimeError("the password is 1234")

    offer(monkeypatch, broken)
    answer = await beside.hub.invoke("more")
    assert answer.status == 500
    assert "1234" not in str(answer.payload)
    (trouble,) = [told for told in beside.stage.told if isinstance(told, Trouble) and told.about == "bug"]
    assert isinstance(trouble.cause, RuntimeError)


async def test_an_answer_that_iot_hub_would_not_take_is_refused_here(
    beside: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def large(_office: Office, _: Nothing) -> Text:
        """Answer much."""
        return Text(text="x" * LARGEST)

    offer(monkeypatch, large)
    assert (await beside.hub.invoke("more")).status == 413


@pytest.mark.parametrize(("changes", "lines"), [(True, 1), (False, 0)])
async def test_a_method_that_changes_something_leaves_a_line(
    beside: Module, monkeypatch: pytest.MonkeyPatch, changes: bool, lines: int
) -> None:
    async def done(_office: Office, _: Nothing) -> Text:
        """Do it."""
        return Text(text="done")

    offer(monkeypatch, done, changes=changes)
    await beside.hub.invoke("more")
    notes = [told for told in beside.stage.told if isinstance(told, Note) and told.about == "direct method"]
    assert len(notes) == lines


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_has_its_schemas_and_says_what_it_is_for(method: Method) -> None:
    for kind in (method.payload, method.answer):
        Draft202012Validator.check_schema(kind.model_json_schema(by_alias=True))
        assert [name for name, field in kind.model_fields.items() if not field.description] == []
    assert method.summary.endswith(".")


def test_every_fault_has_a_status() -> None:
    assert {status for status, _ in STATUSES.values()} <= set(range(400, 600))
    assert all(issubclass(kind, NestorError) for kind in STATUSES)
