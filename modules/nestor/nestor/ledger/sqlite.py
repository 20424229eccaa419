"""The Ledger port on SQLite, and what an operator may do with a ledger beyond it.

Nothing is decided here: questions go to `reading.py`, changes to the writer's thread.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalLimits, Verdict
from nestor.conveyance import Intent
from nestor.errors import MaterialError, TooOften
from nestor.ledger.listing import Selection, page_statement
from nestor.ledger.reading import Counters, Reader
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import DenyList, Revocation, append_revocation
from nestor.ledger.rows import moment, seconds
from nestor.ledger.statistics import Statistics
from nestor.ledger.transaction import CLOCK_FLOOR
from nestor.ledger.writer import Writer
from nestor.model import NO_TERMS, Entry, OneTime, Refusal, Replay, Standing, State, Terms

Answer = TypeVar("Answer")

AUTHORITY = "authority"
"""The fact that holds the fingerprint of the CA whose certificates these are."""


class SQLiteLedger:
    """What was issued, in one file; `opening.open_ledger` makes it. Every method may raise CannotIssue."""

    def __init__(self, path: Path, reader: Reader, writer: Writer) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._deny_list = DenyList(path.parent / REVOCATIONS)

    async def find(self, sha256: bytes) -> Entry | None:
        """The entry of a certificate by the SHA-256 of its DER encoding."""
        return self._reader.find(sha256)

    async def standing(
        self,
        *,
        device: str,
        profile: str,
        spki_sha256: bytes,
        replay_key: bytes,
        one_time: OneTime | None,
        now: datetime,
    ) -> Standing:
        """Everything that bears on one request; raises while nothing can be written, so that nothing is signed then."""
        self._check_writable()
        return self._reader.standing(
            device=device,
            profile=profile,
            spki_sha256=spki_sha256,
            replay_key=replay_key,
            one_time=one_time,
            now=now,
        )

    async def record(
        self, entry: Entry, *, replay: Replay | None, one_time: OneTime | None, terms: Terms = NO_TERMS
    ) -> Entry:
        """Make the entry durable, or return the one that the same request got a moment ago (design D5, D6).

        Raises Forbidden where its terms no longer hold.
        """
        return await self._writer.run(lambda transaction: transaction.record(entry, replay, one_time, terms))

    async def approval(self, key: bytes, now: datetime) -> Approval | None:
        """What an operator said of this very request, or that it waits."""
        return self._reader.approval(key, now)

    async def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval:
        """Make durable that somebody asks for what has to be approved. Raises TooOften where too many wait."""
        found = await self._writer.run(lambda transaction: transaction.await_approval(approval, limits))
        if isinstance(found, TooOften):
            raise found
        return found

    async def approvals(self, now: datetime) -> Sequence[Approval]:
        """Everything that waits for approval, or was decided and is not forgotten yet, the oldest first."""
        return await self._aside(lambda reader: reader.approvals(now))

    async def decide(self, id_: str, said: Verdict) -> Approval:
        """Write down what an operator says of what waits; said twice it stays. Raises UnknownPath, CannotDecide."""
        return await self._writer.run(lambda transaction: transaction.decide(id_, said))

    def refuse(self, refusal: Refusal) -> None:
        """Note a refusal; written within a second or so, or lost."""
        self._writer.refuse(refusal)

    async def intend(self, intent: Intent) -> None:
        """Make durable what is about to be sent to a server above."""
        await self._writer.run(lambda transaction: transaction.intend(intent))

    async def settle(self, key: bytes) -> None:
        """Forget an intent of which nothing came."""
        await self._writer.run(lambda transaction: transaction.settle(key))

    async def intents(self) -> Sequence[Intent]:
        """What was sent to a server above and whose end is not known, oldest first."""
        return self._reader.intents()

    async def live_certificates(self, device: str, now: datetime) -> Sequence[Entry]:
        """The unexpired, unrevoked certificates of a device, oldest first."""
        return self._reader.live(device, now)

    async def last_spent(self, one_time: OneTime) -> datetime | None:
        """When a one-time password last gave a certificate; None where it did not yet."""
        return self._reader.last_spent(one_time)

    async def certificates_of_key(self, spki_sha256: bytes) -> Sequence[Entry]:
        """Every certificate of a public key, in whatever state, oldest first."""
        return self._reader.of_key(spki_sha256)

    async def newest(self) -> datetime | None:
        """When the newest entry was issued, or what the clock floor was reset to since."""
        floor = self._reader.fact(CLOCK_FLOOR)
        return None if floor is None else moment(int(floor))

    async def adoptions(self) -> Sequence[Adoption]:
        """Every word that was given about certificates that this ledger does not know, oldest first (design D23)."""
        return self._reader.adoptions()

    async def open_adoption(self, adoption: Adoption) -> int:
        """Give such a word; its number. Whoever has this ledger open hears of it with the next question."""
        return await self._writer.run(lambda transaction: transaction.open_adoption(adoption))

    async def end_adoptions(self, at: datetime) -> int:
        """End every such word that is good at this time; how many there were."""
        return await self._writer.run(lambda transaction: transaction.end_adoptions(at))

    async def was_revoked(self, sha256: bytes, serial: int, issuer: bytes) -> bool:
        """Whether a certificate has been revoked, be it that only the file beside the ledger knows."""
        denied = await self._deny_list.denied()
        if sha256 in denied.certificates:
            return True
        twins = denied.by_serial.get(serial)
        if not twins:
            return False
        return await self._aside(lambda reader: any(_may_be_of(reader.find(twin), issuer) for twin in twins))

    async def adopt(self, entry: Entry) -> Entry:
        """Make the entry of a certificate durable that was issued before; one that is known stays as it is."""
        return await self._writer.run(lambda transaction: transaction.adopt(entry))

    async def raise_clock_floor(self, at: datetime) -> None:
        """Remember that it was this late already, unless a later time is known."""
        newest = await self.newest()
        if newest is None or newest < at:
            await self.reset_clock_floor(at)

    async def reset_clock_floor(self, at: datetime) -> None:
        """Forget that later times were seen: for a host whose clock was ahead and has been put right."""
        await self._writer.run(lambda transaction: transaction.put_fact(CLOCK_FLOOR, str(seconds(at))))

    async def revoke(self, sha256: bytes, reason: str, at: datetime) -> Entry:
        """Revoke a certificate; one that is revoked already stays as it is. Raises MaterialError for an unknown one."""
        entry = self._reader.find(sha256)
        if entry is None:
            raise MaterialError(f"The ledger has no certificate {sha256.hex()}.", "Look for it: nestor cert list.")
        if entry.state is State.REVOKED:
            return entry
        line = Revocation(at, sha256, entry.serial, reason)
        await asyncio.to_thread(append_revocation, self._path.parent / REVOCATIONS, line)
        await self._writer.run(lambda transaction: transaction.revoke(line))
        return self._reader.find(sha256) or entry

    async def certificates_of_serial(self, serial: int) -> Sequence[Entry]:
        """Every certificate with a serial number, oldest first; several where they are of several issuers."""
        return self._reader.of_serial(serial)

    async def find_thumbprint(self, thumbprint: bytes) -> Entry | None:
        """The entry of a certificate by the SHA-256 or the SHA-1 of its DER encoding."""
        found = await self.page(Selection(thumbprint=thumbprint.hex()), limit=1)
        return found[0] if found else None

    async def page(self, selection: Selection, *, after_id: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Entries that fit, newest first; the next page is after the last id of this one."""
        statement, given = page_statement(selection, after_id, limit)
        return await self._aside(lambda reader: reader.entries(statement, given))

    async def refusals(self, limit: int) -> Sequence[Refusal]:
        """The requests that were refused last, newest first."""
        return self._reader.refusals(limit)

    async def counters(self) -> Counters:
        """How often what happened since the ledger was made."""
        return self._reader.counters()

    async def statistics(self, now: datetime, renewed: Collection[str]) -> Statistics:
        """What all of it adds up to at this time; `renewed` are the profiles that devices renew."""
        return await self._aside(lambda reader: reader.statistics(now, renewed))

    async def pin_authority(self, fingerprint: str) -> None:
        """Keep whose certificates this ledger holds: the fingerprint of the CA certificate."""
        await self._writer.run(lambda transaction: transaction.put_fact(AUTHORITY, fingerprint))

    async def pinned_authority(self) -> str | None:
        """The fingerprint of the CA certificate that this ledger belongs to."""
        return self._reader.fact(AUTHORITY)

    @property
    def is_orphaned(self) -> bool:
        """Whether its file was removed or replaced, so that only opening it anew can help."""
        return self._writer.is_orphaned

    def problem(self) -> str | None:
        """Why nothing can be recorded at this time."""
        trouble = self._writer.trouble
        return None if trouble is None else trouble.text

    def failure(self) -> str | None:
        """Why nothing will ever be recorded again by this process."""
        return "The thread that writes the ledger has ended." if self._writer.has_died else None

    async def close(self) -> None:
        """Write what waits, then let go of the file."""
        self._writer.stop()
        await asyncio.to_thread(self._close)

    async def _aside(self, ask: Callable[[Reader], Answer]) -> Answer:
        """Ask what may walk the whole ledger, on a thread and a connection of its own."""

        def read() -> Answer:
            with closing(Reader(self._path)) as reader:
                return ask(reader)

        return await asyncio.to_thread(read)

    def _close(self) -> None:
        # The last connection to be closed folds the write-ahead log into the file, and only a writable one can.
        self._writer.join()
        self._reader.close()
        self._writer.close()

    def _check_writable(self) -> None:
        trouble = self._writer.trouble
        if trouble is not None:
            raise trouble


def _may_be_of(revoked: Entry | None, issuer: bytes) -> bool:
    """Whether a revoked certificate may be of this issuer: it is, or nobody knows whose it is."""
    return revoked is None or not revoked.issuer or not issuer or revoked.issuer == issuer
