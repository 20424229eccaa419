"""An honest ledger in memory: the Ledger port as plainly as it can be written, for tests of other rooms.

It keeps the same promises as the one on disk, but for lasting; `tests/contract/test_ledger.py` holds both to them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalLimits, ApprovalState, Verdict, decided, no_room, tried_again
from nestor.errors import CannotIssue, Forbidden, UnknownPath
from nestor.model import NO_TERMS, Entry, OneTime, Refusal, Replay, Standing, State, Terms

_OUT_OF_ORDER = timedelta(minutes=1)


class MemoryLedger:
    """What was issued, as long as the test lasts."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Refusal] = []
        self.words: list[Adoption] = []
        self.awaited: dict[bytes, Approval] = {}
        self.forgotten_revocations: set[bytes] = set()
        self._replays: dict[bytes, tuple[Entry, datetime]] = {}
        self._uses: dict[tuple[str, str, str], datetime] = {}

    async def find(self, sha256: bytes) -> Entry | None:
        """The entry of a certificate."""
        return next((entry for entry in self.entries if entry.sha256 == sha256), None)

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
        """Everything that bears on one request."""
        live = await self.live_certificates(device, now)
        return Standing(
            replay=await self._replayed(replay_key, now),
            origin=live[0].origin if live else None,
            key_used=any(entry.spki_sha256 == spki_sha256 for entry in self.entries),
            spent_at=self._uses.get((one_time.key, device, profile)) if one_time else None,
            held=any(entry.profile == profile for entry in live),
        )

    async def record(
        self, entry: Entry, *, replay: Replay | None, one_time: OneTime | None, terms: Terms = NO_TERMS
    ) -> Entry:
        """Keep the entry, or return the one that the same request got a moment ago."""
        entry = replace(entry, issued_at=entry.issued_at.replace(microsecond=0), id=len(self.entries) + 1)
        if replay and (earlier := await self._replayed(replay.key, entry.issued_at)):
            return earlier
        live = await self.live_certificates(entry.device, entry.issued_at)
        if terms.origin and live and live[0].origin is not terms.origin:
            raise Forbidden("The device has just been onboarded by another class of credential.")
        if terms.fresh_key and any(entry.spki_sha256 == other.spki_sha256 for other in self.entries):
            raise Forbidden("The key has just been certified.")
        if terms.approval:
            await self._use(terms.approval, entry.issued_at)
        known = await self.find(entry.sha256)
        entry = self._issued(entry, live) if known is None else _given_before(known, entry)
        if replay:
            self._replays[replay.key] = entry, replay.until
        if one_time:
            self._uses.setdefault((one_time.key, entry.device, entry.profile), entry.issued_at)
        return entry

    async def approval(self, key: bytes, now: datetime) -> Approval | None:
        """What was said of a request, or that it waits."""
        return next((one for one in await self.approvals(now) if one.key == key), None)

    async def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval:
        """Let a request wait, or find what was said of it."""
        approval, now = _whole(approval), approval.last_asked_at.replace(microsecond=0)
        there = await self.approvals(now)
        found = self.awaited.get(approval.key)
        if found is not None and found.state is not ApprovalState.USED:
            approval = tried_again(found, approval)
        elif denials := [one for one in there if one.state is ApprovalState.DENIED and _place(one) == _place(approval)]:
            return denials[0]
        else:
            waiting = [one.caller for one in there if one.state is ApprovalState.PENDING]
            full = no_room(approval, limits, waiting=len(waiting), of_credential=waiting.count(approval.caller))
            if full is not None:
                raise full
        self.awaited[approval.key] = approval
        return approval

    async def approvals(self, now: datetime) -> Sequence[Approval]:
        """Everything that waits or was decided and is not forgotten yet, the oldest first."""
        self.awaited = {key: one for key, one in self.awaited.items() if _is_in_force(one, now)}
        return sorted(self.awaited.values(), key=lambda one: (one.asked_at, one.id))

    async def decide(self, id_: str, said: Verdict) -> Approval:
        """Write down what an operator says of what waits."""
        there = await self.approvals(said.at)
        found = next((one for one in there if one.id == id_), None)
        if found is None:
            raise UnknownPath("Nothing waits by this id.")
        self.awaited[found.key] = _whole(decided(found, said, there))
        return self.awaited[found.key]

    def refuse(self, refusal: Refusal) -> None:
        """Note a refusal."""
        self.refused.append(refusal)

    async def live_certificates(self, device: str, now: datetime) -> Sequence[Entry]:
        """The unexpired, unrevoked certificates of a device, oldest first."""
        return [
            entry
            for entry in self.entries
            if entry.device == device and entry.not_after > now and entry.state is not State.REVOKED
        ]

    async def certificates_of_key(self, spki_sha256: bytes) -> Sequence[Entry]:
        """Every certificate of a public key, in whatever state, oldest first."""
        return [entry for entry in self.entries if entry.spki_sha256 == spki_sha256]

    async def newest(self) -> datetime | None:
        """When the newest entry was issued."""
        return max((entry.issued_at for entry in self.entries), default=None)

    async def adoptions(self) -> Sequence[Adoption]:
        """Every word about unknown certificates, oldest first."""
        return list(self.words)

    async def was_revoked(self, sha256: bytes, serial: int, issuer: bytes) -> bool:
        """Whether a certificate has been revoked, although this ledger may have forgotten it."""
        known = [entry for entry in self.entries if entry.state is State.REVOKED]
        twins = [entry for entry in known if entry.serial == serial]
        alike = any(not (entry.issuer and issuer) or entry.issuer == issuer for entry in twins)
        return alike or sha256 in self.forgotten_revocations or any(sha256 == entry.sha256 for entry in known)

    async def adopt(self, entry: Entry) -> Entry:
        """Keep the entry of a certificate that was issued before, unless it is known."""
        known = await self.find(entry.sha256)
        if known is not None:
            return known
        if self._has_serial(entry):
            raise CannotIssue("The ledger has another certificate of this issuer with the same serial number.")
        siblings = [other for other in self.entries if (other.device, other.profile) == (entry.device, entry.profile)]
        for older in siblings:
            if older.not_before <= entry.not_before < older.not_after and older.state is State.ACTIVE:
                self._put(replace(older, state=State.SUPERSEDED))
        late = any(
            entry.not_before < other.not_before < entry.not_after and other.state is not State.REVOKED
            for other in siblings
        )
        state = State.SUPERSEDED if late else State.ACTIVE
        self.entries.append(replace(entry, id=len(self.entries) + 1, state=state))
        return self.entries[-1]

    async def revoke(self, sha256: bytes, reason: str, at: datetime) -> Entry:
        """Revoke a certificate that this ledger has; one that is revoked already stays as it is."""
        found = await self.find(sha256)
        assert found is not None
        if found.state is State.REVOKED:
            return found
        return self._put(replace(found, state=State.REVOKED, revoked_at=at, revocation_reason=reason))

    async def refusals(self, limit: int) -> Sequence[Refusal]:
        """The requests that were refused last, newest first."""
        return self.refused[::-1][:limit]

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _replayed(self, key: bytes, now: datetime) -> Entry | None:
        found, until = self._replays.get(key, (None, now))
        recent = found is not None and until > now and found.issued_at <= now + _OUT_OF_ORDER
        current = await self.find(found.sha256) if found and recent else None
        return current if current and current.state is not State.REVOKED else None

    async def _use(self, approval: bytes, now: datetime) -> None:
        found = await self.approval(approval, now)
        if found is None or found.state is not ApprovalState.APPROVED:
            raise Forbidden("The approval has just been used.")
        self.awaited[approval] = replace(found, state=ApprovalState.USED)

    def _issued(self, entry: Entry, live: Sequence[Entry]) -> Entry:
        if self._has_serial(entry):
            raise CannotIssue("The ledger has another certificate of this issuer with the same serial number.")
        for older in live:
            if older.profile == entry.profile:
                self._put(replace(older, state=State.SUPERSEDED))
        self.entries.append(entry)
        return entry

    def _has_serial(self, entry: Entry) -> bool:
        return any((entry.serial, entry.issuer) == (other.serial, other.issuer) for other in self.entries)

    def _put(self, entry: Entry) -> Entry:
        self.entries[entry.id - 1] = entry
        return entry


def _given_before(known: Entry, entry: Entry) -> Entry:
    if known.state is State.REVOKED or (known.device, known.spki_sha256) != (entry.device, entry.spki_sha256):
        raise CannotIssue("The certificate was given before.")
    return known


def _whole(approval: Approval) -> Approval:
    """Times in whole seconds."""
    names = ("asked_at", "last_asked_at", "until", "decided_at")
    times = {name: time.replace(microsecond=0) for name in names if (time := getattr(approval, name))}
    return replace(approval, **times)


def _place(approval: Approval) -> tuple[str, str, str, str]:
    return approval.device, approval.profile, approval.caller, approval.address


def _is_in_force(approval: Approval, now: datetime) -> bool:
    return approval.until > now and (approval.decided_at or approval.last_asked_at) <= now + _OUT_OF_ORDER
