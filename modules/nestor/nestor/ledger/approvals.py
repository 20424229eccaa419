"""What has to be approved, as rows of the ledger: asked for, decided, used up. Runs within one open transaction.

Whoever asks again finds the row that waits; nobody fills the table, because only so many may wait at a time.
"""

from collections.abc import Callable
from typing import Any

from nestor.approval import Approval, ApprovalLimits, ApprovalState, Verdict, decided, no_room, tried_again
from nestor.errors import Forbidden, TooOften, UnknownPath
from nestor.ledger import statements
from nestor.ledger.rows import read_approval, seconds, write_approval

Run = Callable[[str, dict[str, Any]], Any]


def await_approval(run: Run, asked: Approval, limits: ApprovalLimits) -> Approval | TooOften:
    """Let a request wait, or find what was said of it; or answer that too many wait.

    That is no error of the transaction, which would have to be tried again without it: it may come in floods.
    """
    row = write_approval(asked)
    given = row | {"now": row["last_asked_at"]}
    found = _one(run, statements.APPROVAL, given)
    if found is not None and found.state is not ApprovalState.USED:
        return _put(run, tried_again(found, asked))
    denial = _one(run, statements.DENIAL, given)
    if denial is not None:
        return denial
    full = _no_room(run, given, asked, limits)
    if full is not None:
        return full
    run(statements.FORGET_APPROVALS, given)
    return _put(run, asked)


def decide(run: Run, id_: str, said: Verdict) -> Approval:
    """Write down what an operator says of what waits. Raises UnknownPath, CannotDecide."""
    given = {"id": id_, "now": seconds(said.at)}
    found = _one(run, statements.APPROVAL_BY_ID, given)
    if found is None:
        raise UnknownPath(f"Nothing waits for approval as {id_[:100]}.", "It may have been forgotten: list what waits.")
    others = run(statements.APPROVALS_OF_DEVICE, given | {"device": found.device}).fetchall()
    return _put(run, decided(found, said, map(read_approval, others)))


def use(run: Run, key: bytes, now: int) -> None:
    """Use an approval up. Raises Forbidden where it is not good any more: another request was faster."""
    if run(statements.USE_APPROVAL, {"key": key, "now": now}).rowcount != 1:
        raise Forbidden("The approval has just been used by another request, or taken back.", "Ask again.")


def _no_room(run: Run, given: dict[str, Any], asked: Approval, limits: ApprovalLimits) -> TooOften | None:
    """Why it cannot wait. What one credential has there is counted first: that costs less, and is what floods do."""
    of_credential = _number(run, statements.PENDING_OF_CALLER, given)
    full = no_room(asked, limits, of_credential=of_credential)
    return full or no_room(asked, limits, waiting=_number(run, statements.PENDING, given))


def _number(run: Run, statement: str, given: dict[str, Any]) -> int:
    return int(run(statement, given).fetchone()[0])


def _put(run: Run, approval: Approval) -> Approval:
    row = write_approval(approval)
    run(statements.PUT_APPROVAL, row)
    return read_approval(tuple(row.values()))


def _one(run: Run, statement: str, given: dict[str, Any]) -> Approval | None:
    row = run(statement, given).fetchone()
    return None if row is None else read_approval(row)
