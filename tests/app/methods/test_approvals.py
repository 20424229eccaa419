"""Approving by direct methods: pages without a gap, a word that counts at once, and what cannot be said."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nestor.approval import Approval, ApprovalLimits, ApprovalState
from nestor.events import ApprovalDecided
from nestor.ledger.sqlite import SQLiteLedger
from nestor.registrar.approval import build_limits
from nestor.registrar.settings import ApprovalSettings
from support.awaiting import an_approval
from support.companions import Module, module

LIMITS: ApprovalLimits = build_limits(ApprovalSettings.model_validate({}))


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data") as beside:
        await beside.hub.connect(beside)
        yield beside


async def wait(beside: Module, device: str = "pump-1", **changes: Any) -> Approval:
    ledger, now = beside.server.ground.ledger, beside.stage.clock.now()
    assert isinstance(ledger, SQLiteLedger)
    asked = an_approval(device, asked_at=now, last_asked_at=now, until=now + LIMITS.waits_for)
    return await ledger.await_approval(replace(asked, **changes), LIMITS)


async def call(beside: Module, name: str, status: int = 200, **payload: Any) -> dict[str, Any]:
    answer = await beside.hub.invoke(name, payload)
    assert answer.status == status, answer
    return dict(answer.payload)


async def test_a_hundred_who_wait_are_listed_page_by_page_each_once(beside: Module) -> None:
    ids = [(await wait(beside, f"pump-{number}", subject="\U0001f600" * 300)).id for number in range(100)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await call(beside, "listPending", limit=30, **cursor)
        found += [one["id"] for one in page["requests"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert sorted(found) == sorted(ids)


async def test_what_is_shown_tells_who_asks_from_where_with_which_key_and_who_competes(beside: Module) -> None:
    mine = await wait(beside, takes_over_from="bootstrap", alternative_names="gw.example")
    theirs = await wait(beside, address="192.0.2.66")
    shown = {one["id"]: one for one in (await call(beside, "listPending"))["requests"]}
    assert shown[mine.id]["key"] == mine.spki_sha256.hex()
    assert shown[mine.id]["takesOverFrom"] == "bootstrap"
    assert shown[mine.id]["alternativeNames"] == "gw.example"
    assert (shown[mine.id]["onlyThisKey"], shown[mine.id]["liveCertificates"]) == (False, 0)
    assert (shown[theirs.id]["address"], shown[theirs.id]["competesWith"]) == ("192.0.2.66", [mine.id])


async def test_a_word_is_in_force_and_told_before_its_answer_leaves(beside: Module) -> None:
    asked = await wait(beside)
    answer = await call(beside, "approve", id=asked.id, by="Maria")
    assert (answer["state"], answer["decidedBy"], answer["device"]) == ("approved", "direct method, Maria", "pump-1")
    (event,) = [event for event in beside.stage.told if isinstance(event, ApprovalDecided)]
    assert (event.approval.id, event.approval.decided_by) == (asked.id, "direct method, Maria")
    assert (await call(beside, "listPending"))["requests"] == []
    denied = await call(beside, "deny", id=asked.id)
    assert (denied["state"], denied["decidedBy"]) == ("denied", "direct method")
    (shown,) = (await call(beside, "listPending", all=True))["requests"]
    assert shown["state"] == ApprovalState.DENIED


async def test_what_competes_is_409_what_is_unknown_404_and_a_wrong_payload_400(beside: Module) -> None:
    mine = await wait(beside)
    theirs = await wait(beside, caller="password:thief")
    assert theirs.id in (await call(beside, "approve", 409, id=mine.id))["error"]
    await call(beside, "approve", 404, id="nobody")
    await call(beside, "approve", 400)
    await call(beside, "listPending", 400, cursor="x")


async def test_how_many_wait_is_in_the_status(beside: Module) -> None:
    assert (await call(beside, "getStatus"))["issuance"]["pending"] == 0
    await wait(beside)
    assert (await call(beside, "getStatus"))["issuance"]["pending"] == 1
