"""What operators say of requests that wait: by a direct method, or by a command beside a running server.

The ledger is where it is said. The server looks there now and then, and at once after a word by a method of its own,
and tells of each that is new. What was said while no server ran is told to nobody; the ledger lists it for its time.
"""

import asyncio
from collections.abc import Sequence
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


def listed(approvals: Sequence[Approval], *, every: bool) -> list[tuple[Approval, Sequence[Approval]]]:
    """What waits, the oldest first, each with those that compete with it; `every` lists what was decided too."""
    shown = [one for one in approvals if every or one.state is ApprovalState.PENDING]
    return [(one, competitors(one, approvals) if one.state in OPEN else ()) for one in shown]


def _mark(approval: Approval) -> tuple[str, datetime | None, bool]:
    return approval.id, approval.decided_at, approval.state is ApprovalState.DENIED
