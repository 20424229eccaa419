"""What the Ledger port promises of requests that have to be approved, held against every implementation."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestor.approval import Approval, ApprovalLimits, ApprovalState, verdict
from nestor.errors import CannotDecide, Forbidden, NestorError, TooOften, UnknownPath
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Terms
from support.awaiting import an_approval
from support.entries import NOON, an_entry
from support.ledgers import opened
from support.memory import MemoryLedger

AnyLedger = MemoryLedger | SQLiteLedger
MINUTE = timedelta(minutes=1)
LIMITS = ApprovalLimits(timedelta(hours=1), timedelta(days=1), 100, 1000)
APPROVED, DENIED, PENDING, USED = (ApprovalState(word) for word in ("approved", "denied", "pending", "used"))


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyLedger]:
    if request.param == "memory":
        yield MemoryLedger()
    else:
        async with opened(tmp_path) as on_disk:
            yield on_disk


async def wait(ledger: AnyLedger, asked: Approval | None = None, limits: ApprovalLimits = LIMITS) -> Approval:
    return await ledger.await_approval(asked or an_approval(), limits)


async def say(ledger: AnyLedger, id_: str, state: ApprovalState, at: datetime = NOON) -> Approval:
    return await ledger.decide(id_, verdict(state, "Maria", at, LIMITS))


async def test_what_waits_is_found_as_it_was(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    assert asked == replace(an_approval(), key=asked.key, id=asked.id, spki_sha256=asked.spki_sha256)
    assert await ledger.approval(asked.key, NOON) == asked
    assert await ledger.approvals(NOON) == [asked]
    assert await ledger.approval(bytes(32), NOON) is None


async def test_asked_again_it_waits_longer_and_shows_the_last_key(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    later = replace(
        asked, id="other", spki_sha256=b"2" * 32, last_asked_at=NOON + MINUTE, until=asked.until + MINUTE, requests=1
    )
    again = await wait(ledger, later)
    assert again == replace(later, id=asked.id, requests=2)


async def test_it_is_forgotten_when_its_time_has_come(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    assert await ledger.approvals(asked.until - MINUTE) == [asked]
    assert await ledger.approvals(asked.until) == []
    with pytest.raises(UnknownPath):
        await say(ledger, asked.id, APPROVED, asked.until)


@pytest.mark.parametrize("state", [APPROVED, DENIED, PENDING])
async def test_what_a_clock_that_was_ahead_wrote_is_not_in_force_once_it_is_right(
    ledger: AnyLedger, state: ApprovalState
) -> None:
    ahead = NOON + timedelta(days=90)
    asked = await wait(ledger, an_approval(asked_at=ahead, last_asked_at=ahead, until=ahead + LIMITS.waits_for))
    if state is not PENDING:
        await say(ledger, asked.id, state, ahead)
    assert await ledger.approval(asked.key, NOON) is None
    assert await ledger.approvals(NOON) == []
    with pytest.raises(Forbidden):
        await ledger.record(an_entry(), replay=None, one_time=None, terms=Terms(approval=asked.key))
    anew = await wait(ledger, an_approval(key=asked.key), replace(LIMITS, in_all=1))
    assert anew.state is PENDING


async def test_what_is_said_is_kept_with_who_said_it_and_said_twice_it_stays(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    said = await say(ledger, asked.id, APPROVED)
    assert said == replace(asked, state=APPROVED, decided_at=NOON, decided_by="Maria", until=NOON + LIMITS.good_for)
    assert await say(ledger, asked.id, APPROVED, NOON + MINUTE) == said
    assert await wait(ledger, asked) == said


async def test_an_approval_is_used_up_by_the_certificate_it_is_for_and_by_one_only(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    terms = Terms(approval=asked.key)
    with pytest.raises(Forbidden):
        await ledger.record(an_entry(), replay=None, one_time=None, terms=terms)
    await say(ledger, asked.id, APPROVED)
    entries = [an_entry() for _ in range(4)]
    outcomes = await asyncio.gather(
        *(ledger.record(entry, replay=None, one_time=None, terms=terms) for entry in entries), return_exceptions=True
    )
    assert sorted(isinstance(outcome, Forbidden) for outcome in outcomes) == [False, True, True, True]
    assert [await ledger.find(entry.sha256) is None for entry in entries].count(False) == 1
    (used,) = await ledger.approvals(NOON)
    assert used.state is USED
    with pytest.raises(CannotDecide):
        await say(ledger, asked.id, DENIED)


async def test_an_approval_that_is_over_is_not_used(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    said = await say(ledger, asked.id, APPROVED)
    with pytest.raises(Forbidden):
        await ledger.record(an_entry(issued_at=said.until), replay=None, one_time=None, terms=Terms(approval=asked.key))


async def test_what_was_used_up_begins_anew(ledger: AnyLedger) -> None:
    asked = await wait(ledger)
    await say(ledger, asked.id, APPROVED)
    await ledger.record(an_entry(), replay=None, one_time=None, terms=Terms(approval=asked.key))
    again = await wait(ledger, replace(asked, id="again"))
    assert (again.id, again.state, again.requests) == ("again", PENDING, 1)


async def test_a_denial_is_for_the_device_the_profile_the_credential_and_the_address(ledger: AnyLedger) -> None:
    denied = await wait(ledger)
    await say(ledger, denied.id, DENIED)
    assert (await wait(ledger, an_approval(subject="CN=pump-1,O=Other", label="other"))).id == denied.id
    for other in ({"device": "pump-2"}, {"profile": "edgeCa"}, {"caller": "password:x"}, {"address": "192.0.2.9"}):
        assert (await wait(ledger, an_approval(**other))).state is PENDING


async def test_those_who_compete_are_told_apart_by_credential_and_address_and_key_where_it_is_bound(
    ledger: AnyLedger,
) -> None:
    one = await wait(ledger)
    await wait(ledger, an_approval(label="other", subject="CN=pump-1,O=Other"))
    await say(ledger, one.id, APPROVED)
    rivals = [{"caller": "password:x"}, {"address": "192.0.2.9"}]
    bound = [await wait(ledger, an_approval("plc-1", bound_key=key * 32)) for key in (b"1", b"2")]
    for rival in [*[await wait(ledger, an_approval(**changes)) for changes in rivals], *bound]:
        with pytest.raises(CannotDecide):
            await say(ledger, rival.id, APPROVED)
    await say(ledger, bound[0].id, DENIED)
    assert (await say(ledger, bound[1].id, APPROVED)).state is APPROVED


async def test_only_so_many_of_one_credential_and_in_all_may_wait(ledger: AnyLedger) -> None:
    limits = replace(LIMITS, per_credential=2, in_all=3)
    first = await wait(ledger, an_approval("1"), limits)
    await wait(ledger, an_approval("2"), limits)
    for device, caller in (("3", "password:line1"), ("4", "password:line2"), ("5", "password:line3")):
        asked = an_approval(device, caller=caller)
        if device == "4":
            await wait(ledger, asked, limits)
        else:
            with pytest.raises(TooOften):
                await wait(ledger, asked, limits)
    await wait(ledger, first, limits)
    await say(ledger, first.id, DENIED)
    await wait(ledger, an_approval("6"), limits)


_Step = tuple[str, int, int, int]
_ACTS = st.sampled_from(["ask", "ask", "approve", "deny", "record"])
_STEPS = st.tuples(_ACTS, st.integers(0, 3), st.integers(0, 2), st.integers(0, 50))


@settings(max_examples=40)
@given(st.lists(_STEPS, max_size=30))
def test_both_ledgers_agree_whatever_happens_and_never_exceed_their_bounds(steps: Sequence[_Step]) -> None:
    asyncio.run(_agree(steps))


async def _agree(steps: Sequence[_Step]) -> None:
    limits = ApprovalLimits(timedelta(hours=1), timedelta(hours=2), 2, 4)
    with tempfile.TemporaryDirectory() as place:
        async with opened(Path(place)) as on_disk:
            ledgers, now = (MemoryLedger(), on_disk), NOON
            for number, (what, device, caller, minutes) in enumerate(steps):
                now += minutes * MINUTE
                asked = _asked(number, device, caller, now)
                outcomes = [await _step(ledger, what, asked, number, limits) for ledger in ledgers]
                assert outcomes[0] == outcomes[1]
                there = [await ledger.approvals(now) for ledger in ledgers]
                assert there[0] == there[1]
                waiting = [one.caller for one in there[0] if one.state is PENDING]
                assert len(waiting) <= limits.in_all
                assert all(waiting.count(caller) <= limits.per_credential for caller in waiting)


def _asked(number: int, device: int, caller: int, now: datetime) -> Approval:
    times: dict[str, Any] = {"asked_at": now, "last_asked_at": now, "until": now + timedelta(hours=1)}
    key = bytes([device, caller]) * 16
    return an_approval(f"dev-{device}", key=key, id=f"{number:04}", caller=f"c{caller}", spki_sha256=key, **times)


async def _step(ledger: AnyLedger, what: str, asked: Approval, number: int, limits: ApprovalLimits) -> object:
    now = asked.asked_at
    try:
        if what == "ask":
            return await ledger.await_approval(asked, limits)
        if what == "record":
            entry = an_entry(issued_at=now, serial=number + 1, sha256=number.to_bytes(32))
            await ledger.record(entry, replay=None, one_time=None, terms=Terms(approval=asked.key))
            return "recorded"
        found = await ledger.approval(asked.key, now)
        state = APPROVED if what == "approve" else DENIED
        return None if found is None else await ledger.decide(found.id, verdict(state, "Maria", now, limits))
    except NestorError as fault:
        return type(fault)
