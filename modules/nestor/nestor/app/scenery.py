"""What a stage has in place of the world: a clock that can be set ahead, a ledger of its own, an imitated CA."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.adoption import Adoption
from nestor.app.authority import new_serial
from nestor.approval import Approval, ApprovalLimits, ApprovalState
from nestor.ca.issuer import Issuer
from nestor.keys.make import generate
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import NO_TERMS, Entry, KeyType, OneTime, Refusal, Replay, Standing, Terms
from nestor.ports import Clock


class StageClock:
    """The Clock port, which can be set ahead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The wall clock, as far ahead as it was set."""
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        """Seconds that never run backwards, and that have passed as well."""
        return self._clock.monotonic() + self._ahead.total_seconds()

    def go_on_to(self, moment: datetime) -> None:
        """Let the time pass until then."""
        self._ahead += max(moment - self.now(), timedelta())


class StageLedger:
    """The Ledger port: what the real ledger knows, if there is one, and what was issued on the stage."""

    def __init__(self, real: SQLiteLedger | None) -> None:
        self._real = real
        self._spent: dict[tuple[str, str, str], datetime] = {}
        self.entries: list[Entry] = []

    async def find(self, sha256: bytes) -> Entry | None:
        """The entry of a certificate."""
        here = next((entry for entry in self.entries if entry.sha256 == sha256), None)
        return await self._real.find(sha256) if here is None and self._real is not None else here

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
        """What the real ledger says, and what the stage adds to it."""
        said = Standing()
        if self._real is not None:
            said = await self._real.standing(
                device=device,
                profile=profile,
                spki_sha256=spki_sha256,
                replay_key=replay_key,
                one_time=one_time,
                now=now,
            )
        spent = self._spent.get((one_time.key, device, profile)) if one_time else None
        used = any(entry.spki_sha256 == spki_sha256 for entry in self.entries)
        return replace(said, spent_at=said.spent_at or spent, key_used=said.key_used or used)

    async def record(
        self,
        entry: Entry,
        *,
        replay: Replay | None,  # noqa: ARG002 -- nothing is replayed on a stage
        one_time: OneTime | None,
        terms: Terms = NO_TERMS,  # noqa: ARG002 -- nobody else asks there at the same time
    ) -> Entry:
        """Remember the entry as long as the stage stands."""
        self.entries.append(entry)
        if one_time is not None:
            self._spent.setdefault((one_time.key, entry.device, entry.profile), entry.issued_at)
        return entry

    async def approval(self, key: bytes, now: datetime) -> Approval | None:  # noqa: ARG002 -- the port's signature
        """Nothing: on the stage nobody waits."""
        return None

    async def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval:  # noqa: ARG002
        """Play the operator who approves."""
        return replace(approval, state=ApprovalState.APPROVED)

    def refuse(self, refusal: Refusal) -> None:
        """A refusal on the stage is no news."""

    async def adoptions(self) -> Sequence[Adoption]:
        """None: what is enrolled on the stage is known to it, and nothing becomes known by asking."""
        return ()

    async def was_revoked(self, sha256: bytes, serial: int, issuer: bytes) -> bool:
        """What the real ledger says."""
        return self._real is not None and await self._real.was_revoked(sha256, serial, issuer)

    async def adopt(self, entry: Entry) -> Entry:
        """Remember the entry as long as the stage stands."""
        self.entries.append(entry)
        return entry

    async def live_certificates(self, device: str, now: datetime) -> Sequence[Entry]:
        """Those of the real ledger."""
        return () if self._real is None else await self._real.live_certificates(device, now)

    async def certificates_of_key(self, spki_sha256: bytes) -> Sequence[Entry]:
        """Those of the real ledger, and those of the stage."""
        said = () if self._real is None else await self._real.certificates_of_key(spki_sha256)
        return [*said, *(entry for entry in self.entries if entry.spki_sha256 == spki_sha256)]

    async def newest(self) -> datetime | None:
        """When the real ledger's newest entry was issued."""
        return None if self._real is None else await self._real.newest()


def imitated(certificates: Sequence[x509.Certificate]) -> Issuer:
    """The CA with the same name, dates and powers, and a key of the stage; above it, what is above the real one."""
    key = generate(KeyType.EC_P256)
    return Issuer(_with_key(certificates[0], key), key, tuple(certificates[1:]))


def _with_key(real: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
    builder = x509.CertificateBuilder(real.issuer, real.subject, key.public_key(), new_serial())
    builder = builder.not_valid_before(real.not_valid_before_utc).not_valid_after(real.not_valid_after_utc)
    for extension in real.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(value, extension.critical)
    return builder.sign(key, hashes.SHA256())
