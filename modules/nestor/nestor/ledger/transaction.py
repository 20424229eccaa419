"""What one group commit writes: certificates, revocations, adoptions, refusals, facts; at its end, what they add up to.

Knows the order of writes within a row and nothing of threads, files or failures.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalLimits, Verdict
from nestor.conveyance import Intent
from nestor.errors import CannotIssue, Forbidden, TooOften
from nestor.ledger import approvals, statements
from nestor.ledger.revocations import Revocation
from nestor.ledger.rows import moment, read_entry, seconds, write_adoption, write_entry, write_intent, write_refusal
from nestor.model import NO_TERMS, Entry, OneTime, Refusal, Replay, State, Terms

CLOCK_FLOOR = "clock floor"
"""The fact that holds when the newest entry was issued."""

_KEPT_INTENTS = 30 * 86_400
"""Seconds for which an intent is kept whose end is not known."""

_ANOTHER = "Two requests came at the same time; look which of them was meant to."

_ABOVE = "The operators of both servers should hear of it."

Result = TypeVar("Result")


class Transaction:
    """What can be written within one open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._run_many = connection.executemany
        self._counts: Counter[tuple[str, str]] = Counter()
        self._newest = 0

    def record(self, entry: Entry, replay: Replay | None, one_time: OneTime | None, terms: Terms = NO_TERMS) -> Entry:
        """Write an entry, or find the one that the same request got a moment ago (design D6).

        A server above may also answer another request with a certificate that it gave before.

        Raises Forbidden where its terms no longer hold, CannotIssue where the certificate is there and not this one's,
        sqlite3.IntegrityError where another one of its issuer has its serial number.
        """
        row = write_entry(entry)
        now = row["issued_at"]
        if replay is not None:
            earlier = self._run(statements.REPLAY, {"replay_key": replay.key, "now": now}).fetchone()
            if earlier is not None:
                self.settle(replay.key)
                return self._entry(earlier[0])
        self._check(terms, row)
        known = self._run(statements.BY_SHA256, {"sha256": entry.sha256}).fetchone()
        recorded = self._issued(entry, row) if known is None else _given_before(read_entry(known), entry)
        if replay is not None:
            until = seconds(replay.until)
            self._run(statements.PUT_REPLAY, {"key": replay.key, "certificate_id": recorded.id, "until": until})
            self.settle(replay.key)
        if one_time is not None:
            use = {"key": one_time.key, "device": entry.device, "profile": entry.profile, "used_at": now}
            self._run(statements.SPEND, use)
        return recorded

    def intend(self, intent: Intent) -> None:
        """Write down what is about to be sent to a server above."""
        self._run(statements.PUT_INTENT, write_intent(intent))

    def settle(self, key: bytes) -> None:
        """Forget an intent: what came of it is known."""
        self._run(statements.DROP_INTENT, {"key": key})

    def adopt(self, entry: Entry) -> Entry:
        """Write the entry of a certificate that was issued before; one that is here already stays as it is.

        Raises sqlite3.IntegrityError where another certificate has its serial number.
        """
        known = self._run(statements.BY_SHA256, {"sha256": entry.sha256}).fetchone()
        if known is not None:
            return read_entry(known)
        row = write_entry(entry)
        self._run(statements.SUPERSEDE_OLDER, row)
        if self._run(statements.HAS_NEWER, row).fetchone()[0]:
            row["state"] = State.SUPERSEDED.value
        self._counts["adopted", entry.requester] += 1
        return self._entry(self._add(row, entry.der))

    def open_adoption(self, adoption: Adoption) -> int:
        """Write down a word about unknown certificates; its number."""
        return self._run(statements.ADD_ADOPTION, write_adoption(adoption)).lastrowid or 0

    def end_adoptions(self, at: datetime) -> int:
        """End every word that is good at this time; how many there were."""
        return self._run(statements.END_ADOPTIONS, {"now": seconds(at)}).rowcount

    def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval | TooOften:
        """Let a request wait for an operator's word, or find what was said; or answer that too many wait."""
        return approvals.await_approval(self._run, approval, limits)

    def decide(self, id_: str, said: Verdict) -> Approval:
        """Write down what an operator says of what waits. Raises UnknownPath, CannotDecide."""
        return approvals.decide(self._run, id_, said)

    def _check(self, terms: Terms, row: dict[str, Any]) -> None:
        """Weigh again what was weighed before the certificate was signed: another request may have been faster."""
        if terms.origin is not None:
            first = self._run(statements.FIRST_ORIGIN, {"device": row["device"], "now": row["issued_at"]}).fetchone()
            if first is not None and first[0] != terms.origin.value:
                raise Forbidden(f"{row['device']} has just got its first certificate by {first[0]}.", _ANOTHER)
        if terms.fresh_key and self._run(statements.KEY_USED, row).fetchone()[0]:
            raise Forbidden("The key of the request has just been certified by another request.", _ANOTHER)
        if terms.approval is not None:
            approvals.use(self._run, terms.approval, row["issued_at"])

    def revoke(self, line: Revocation) -> None:
        """Revoke a certificate, unless it is revoked already or unknown."""
        values = {"sha256": line.sha256, "revoked_at": seconds(line.at), "revocation_reason": line.reason}
        self._counts["revoked", ""] += self._run(statements.REVOKE, values).rowcount

    def note_refusals(self, refusals: Iterable[Refusal], reasons: Counter[str], kept: int) -> None:
        """Write refusals, drop those beyond the number kept, and count all of them by their reasons."""
        self._run_many(statements.ADD_REFUSAL, map(write_refusal, refusals))
        self._run(statements.DROP_REFUSALS, {"kept": kept})
        for reason, number in reasons.items():
            self._counts["refused", reason] += number

    def put_fact(self, name: str, value: str) -> None:
        """Keep a fact, in place of what it was."""
        self._run(statements.PUT_FACT, {"name": name, "value": value})

    def finish(self) -> None:
        """Write what the rows of this transaction add up to."""
        changed = [{"kind": kind, "name": name, "value": n} for (kind, name), n in self._counts.items() if n]
        self._run_many(statements.COUNT, changed)
        floor = self._run(statements.FACT, {"name": CLOCK_FLOOR}).fetchone() if self._newest else None
        if self._newest > int(floor[0] if floor else 0):
            self.put_fact(CLOCK_FLOOR, str(self._newest))

    def forget(self, now: datetime) -> None:
        """Drop the replay keys that had expired when the newest entry here was issued; and intents of long ago.

        Where nothing is issued any more, intents are what is left, and must not be kept for ever.
        """
        self._run(statements.FORGET_REPLAYS, {"now": self._newest})
        self._run(statements.FORGET_INTENTS, {"before": seconds(now) - _KEPT_INTENTS})

    def _issued(self, entry: Entry, row: dict[str, Any]) -> Entry:
        self._run(statements.SUPERSEDE, row)
        certificate_id = self._add(row, entry.der)
        self._counts["issued", entry.profile] += 1
        return replace(entry, id=certificate_id, issued_at=moment(row["issued_at"]))

    def _add(self, row: dict[str, Any], der: bytes) -> int:
        self._newest = max(self._newest, row["issued_at"])
        certificate_id = self._run(statements.ADD_CERTIFICATE, row).lastrowid or 0
        self._run(statements.ADD_ENCODING, {"certificate_id": certificate_id, "der": der})
        return certificate_id

    def _entry(self, certificate_id: int) -> Entry:
        return read_entry(self._run(statements.BY_ID, {"id": certificate_id}).fetchone())


def _given_before(known: Entry, entry: Entry) -> Entry:
    """The entry of a certificate that is given once more. Raises CannotIssue where it must not be."""
    if known.state is State.REVOKED:
        raise CannotIssue("The server above answered with a certificate that is revoked here.", "Ask with another key.")
    if (known.device, known.spki_sha256) != (entry.device, entry.spki_sha256):
        raise CannotIssue("The server above answered with a certificate that somebody else was given.", _ABOVE)
    return known


Act = Callable[[Transaction], Result]


def commit(connection: sqlite3.Connection, acts: Sequence[Act[Any]]) -> list[Any]:
    """Run acts in one transaction, all or none, and return their results when they are on the disk.

    Raises what an act raises, or sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        transaction = Transaction(connection)
        results = [act(transaction) for act in acts]
        transaction.finish()
        connection.execute("COMMIT")
    except BaseException:
        # Where the commit itself failed, SQLite may have rolled back already.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return results
