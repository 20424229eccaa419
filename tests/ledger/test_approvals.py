"""What waits for approval outlives restarts, and no flood of it fills the ledger or keeps others from being served."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.approval import Approval, ApprovalLimits, ApprovalState, verdict
from nestor.errors import TooOften
from nestor.ledger.sqlite import SQLiteLedger
from support.awaiting import an_approval
from support.entries import NOON, an_entry
from support.ledgers import opened

LIMITS = ApprovalLimits(timedelta(hours=1), timedelta(days=1), 100, 1000)


async def test_what_waits_and_what_was_said_is_there_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        waiting, decided = [await ledger.await_approval(an_approval(name), LIMITS) for name in ("a", "b")]
        said = await ledger.decide(decided.id, verdict(ApprovalState.APPROVED, "Maria", NOON, LIMITS))
    async with opened(tmp_path, create=False) as ledger:
        assert {one.id: one for one in await ledger.approvals(NOON)} == {waiting.id: waiting, said.id: said}


async def test_ten_thousand_who_ask_leave_a_thousand_rows_and_certificates_are_recorded_meanwhile(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ledger:
        began = time.process_time()
        flood = asyncio.gather(*(_ask(ledger, number) for number in range(10_000)))
        entry = await ledger.record(an_entry(), replay=None, one_time=None)
        assert (await flood).count(None) == 9_000
        assert time.process_time() - began < 10  # a millisecond each, of a machine that may be slow
        there = await ledger.approvals(NOON)
        assert len(there) == 1000
        assert max(sum(one.caller == f"c{caller}" for one in there) for caller in range(200)) <= 100
        assert await ledger.find(entry.sha256) == entry
        assert (await ledger.statistics(NOON, ())).pending == 1000
        later = NOON + timedelta(hours=2)
        fresh = an_approval(asked_at=later, last_asked_at=later, until=later + LIMITS.waits_for)
        await ledger.await_approval(fresh, LIMITS)
    assert (tmp_path / "ledger.db").stat().st_size < 2_000_000


async def _ask(ledger: SQLiteLedger, number: int) -> Approval | None:
    try:
        return await ledger.await_approval(an_approval(f"dev-{number}", caller=f"c{number % 200}"), LIMITS)
    except TooOften:
        return None


@pytest.mark.parametrize("state", [ApprovalState.APPROVED, ApprovalState.DENIED])
async def test_what_one_process_says_the_other_reads_at_once(tmp_path: Path, state: ApprovalState) -> None:
    async with opened(tmp_path) as server:
        asked = await server.await_approval(an_approval(), LIMITS)
        async with opened(tmp_path, create=False) as command:
            await command.decide(asked.id, verdict(state, "Maria", NOON, LIMITS))
        found = await server.approval(asked.key, NOON)
        assert found is not None
        assert (found.state, found.decided_by) == (state, "Maria")
