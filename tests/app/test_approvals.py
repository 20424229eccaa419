"""Words of operators beside a running server are told within one look, each once; those from before it are not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nestor.app.approvals import Approvals, listed
from nestor.approval import ApprovalLimits, ApprovalState, verdict
from nestor.errors import UnknownPath
from nestor.events import ApprovalDecided, Event
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Terms
from support.awaiting import an_approval
from support.entries import NOON, an_entry
from support.ledgers import opened

HOUR = an_approval().until - NOON
LIMITS = ApprovalLimits(HOUR, HOUR, 10, 10)
APPROVE, DENY = (verdict(state, "Maria", NOON, LIMITS) for state in (ApprovalState.APPROVED, ApprovalState.DENIED))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SQLiteLedger]:
    async with opened(tmp_path) as ledger:
        yield ledger


async def test_what_another_process_says_is_told_once_even_if_it_is_used_by_then(
    tmp_path: Path, ledger: SQLiteLedger
) -> None:
    told: list[Event] = []
    approvals = Approvals(told.append)
    old, one, other = [await ledger.await_approval(an_approval(name), LIMITS) for name in ("old", "1", "2")]
    await ledger.decide(old.id, DENY)
    await approvals.look(ledger, NOON)
    async with opened(tmp_path, create=False) as beside:
        await beside.decide(one.id, APPROVE)
        await beside.decide(other.id, DENY)
    await ledger.record(an_entry(), replay=None, one_time=None, terms=Terms(approval=one.key))
    for _ in range(2):
        await approvals.look(ledger, NOON)
    said = {event.approval.id: event.approval.state for event in told if isinstance(event, ApprovalDecided)}
    assert said == {one.id: ApprovalState.USED, other.id: ApprovalState.DENIED}
    assert len(told) == 2


async def test_a_word_given_here_is_told_at_once_and_changed_it_is_told_again(ledger: SQLiteLedger) -> None:
    told: list[Event] = []
    approvals = Approvals(told.append)
    asked = await ledger.await_approval(an_approval(), LIMITS)
    for said in (APPROVE, APPROVE, DENY):
        assert (await approvals.decide(ledger, asked.id, said)).state is said.state
    states = [event.approval.state for event in told if isinstance(event, ApprovalDecided)]
    assert states == [ApprovalState.APPROVED, ApprovalState.DENIED]
    with pytest.raises(UnknownPath):
        await approvals.decide(ledger, "nobody", APPROVE)


async def test_a_list_names_those_who_compete_tells_what_is_live_and_leaves_out_what_was_decided(
    ledger: SQLiteLedger,
) -> None:
    await ledger.record(an_entry("pump-1"), replay=None, one_time=None)
    mine = await ledger.await_approval(an_approval(), LIMITS)
    theirs = await ledger.await_approval(an_approval(caller="password:thief"), LIMITS)
    other = await ledger.await_approval(an_approval("plc-1"), LIMITS)
    found = {one.approval.id: one for one in await listed(ledger, NOON, every=False)}
    assert {id_: [rival.id for rival in one.rivals] for id_, one in found.items()} == {
        mine.id: [theirs.id],
        theirs.id: [mine.id],
        other.id: [],
    }
    assert [found[one.id].live for one in (mine, theirs, other)] == [1, 1, 0]
    await ledger.decide(theirs.id, DENY)
    found = {one.approval.id: one for one in await listed(ledger, NOON, every=False)}
    assert (found.keys(), found[mine.id].rivals) == ({mine.id, other.id}, [])
    assert len(await listed(ledger, NOON, every=True)) == 3
