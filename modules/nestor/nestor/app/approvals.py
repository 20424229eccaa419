"""What operators say of requests that wait: by a direct method, or by a command beside a running server.

The ledger is where it is said. The server looks there now and then, and at once after a word by a method of its own,
and tells of each that is new. What was said while no server ran is told to nobody; the ledger lists it for its time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nestor.approval import OPEN, Approval, ApprovalState, Verdict, competitors
from nestor.events import ApprovalDecided

if TYPE_CHECKING:
    from nestor.ledger.sqlite import SQLiteLedger
    from nestor.ports import Sink

Seen = frozenset[tuple[str, datetime | None, bool]]


class Approvals:
    """What has been told of the words of operators: everything that was said before the first look."""

    def __init__(self, sink: "Sink") -> None:
        self._sink = sink
        self._told: Seen | None = None
        self._looking = asyncio.Lock()

    async def look(self, ledger: "SQLiteLedger", now: datetime) -> None:
        """Tell of the words that are new. Raises CannotIssue."""
        async with self._looking:
            said = {_mark(one): one for one in await ledger.approvals(now) if one.decided_at is not None}
            told, self._told = self._told, frozenset(said)
            for mark in said.keys() - (said.keys() if told is None else told):
                self._sink(ApprovalDecided(said[mark]))

    async def decide(self, ledger: "SQLiteLedger", id_: str, said: Verdict) -> Approval:
        """Approve or deny, and tell it. Raises UnknownPath, CannotDecide, CannotIssue."""
        if self._told is None:
            await self.look(ledger, said.at)
        approval = await ledger.decide(id_, said)
        await self.look(ledger, said.at)
        return approval


@dataclass(frozen=True, slots=True)
class Listed:
    """A request as an operator looks at it: who competes with it, and how many live certificates its device has."""

    approval: Approval
    rivals: Sequence[Approval]
    live: int


async def listed(ledger: "SQLiteLedger", now: datetime, *, every: bool) -> list[Listed]:
    """What waits, the oldest first; `every` lists what was decided too. Raises CannotIssue."""
    there = await ledger.approvals(now)
    shown = [one for one in there if every or one.state is ApprovalState.PENDING]
    return [await looked_at(one, there, ledger, now) for one in shown]


async def looked_at(approval: Approval, others: Sequence[Approval], ledger: "SQLiteLedger", now: datetime) -> Listed:
    """One request, beside all others."""
    rivals = competitors(approval, others) if approval.state in OPEN else ()
    return Listed(approval, rivals, len(await ledger.live_certificates(approval.device, now)))


def _mark(approval: Approval) -> tuple[str, datetime | None, bool]:
    return approval.id, approval.decided_at, approval.state is ApprovalState.DENIED
