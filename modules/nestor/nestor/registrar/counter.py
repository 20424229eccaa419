"""The counter: one errand of the operator at this host, from a request to a recorded certificate.

As at the desk every step is somebody else's; but nobody has to say who they are, and what is refused is told to whoever
stands here and to nobody else. The same errand gets the same certificate again, for as long as that lives: so a batch
that was broken off is simply started again, and the ledger alone decides what is left to do.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from nestor.est import pkcs10
from nestor.est.names import same_alternative_names
from nestor.model import CertificationRequest, Entry, Errand, Replay, State
from nestor.ports import Authority, Clock, HostGate, Ledger, Profiles
from nestor.registrar.entry import entry_of

_RACE = timedelta(seconds=120)
"""How long one row decides between two who bring the same errand at once."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What an errand got; `found` where the ledger had it already."""

    entry: Entry
    found: bool


class Counter:
    """Where the operator of this host is served."""

    def __init__(
        self, *, gate: HostGate, profiles: Profiles, authority: Authority, ledger: Ledger, clock: Clock
    ) -> None:
        self._gate = gate
        self._profiles = profiles
        self._authority = authority
        self._ledger = ledger
        self._clock = clock

    async def issue(self, errand: Errand) -> Handed:
        """Issue a certificate, or find the one that this errand got before.

        Raises Forbidden or Malformed for what may not be, CannotIssue where nothing can be signed or recorded.
        """
        now = self._clock.now()
        csr = self._gate.complete(errand)
        pkcs10.check_signature(csr)
        profile = self._profiles.choose(csr, errand.profile)
        replay_key = _replay_key(errand, csr)
        standing = await self._ledger.standing(
            device=csr.device,
            profile=profile.name,
            spki_sha256=csr.spki_sha256,
            replay_key=replay_key,
            one_time=None,
            now=now,
        )
        certified = await self._ledger.certificates_of_key(csr.spki_sha256) if standing.key_used else ()
        earlier = standing.replay or _earlier(errand, csr, certified, now)
        if earlier is not None:
            return Handed(earlier, found=True)
        requester = self._gate.identify(csr, standing)
        order = self._gate.authorize(
            errand=errand,
            requester=requester,
            csr=csr,
            profile=profile,
            standing=standing,
            live=await self._ledger.live_certificates(csr.device, now) if standing.origin else (),
            certified=certified,
            now=now,
        )
        certificate = await self._authority.enroll(order)
        entry = entry_of(certificate, order=order, requester=requester, spki_sha256=csr.spki_sha256, now=now)
        replay = Replay(replay_key, now + _RACE)
        recorded = await self._ledger.record(entry, replay=replay, one_time=None, terms=order.terms)
        return Handed(recorded, found=recorded.sha256 != entry.sha256)


def _earlier(errand: Errand, csr: CertificationRequest, certified: Sequence[Entry], now: datetime) -> Entry | None:
    """The newest certificate that this errand got and that lives: same device, profile and request, and every name."""
    for entry in reversed(certified):
        lives = entry.not_after > now and entry.state is not State.REVOKED
        same = entry.device == csr.device and entry.profile == errand.profile
        if lives and same and (errand.by_key or entry.csr_sha256 == csr.sha256) and _has_names(entry, csr):
            return entry
    return None


def _has_names(entry: Entry, csr: CertificationRequest) -> bool:
    if not csr.alternative_names:
        return True
    extensions = x509.load_der_x509_certificate(entry.der).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return same_alternative_names(names, csr.alternative_names)


def _replay_key(errand: Errand, csr: CertificationRequest) -> bytes:
    names = x509.SubjectAlternativeName(csr.alternative_names).public_bytes() if csr.alternative_names else b""
    request = csr.spki_sha256 if errand.by_key else csr.sha256
    parts = (b"operator", csr.device.encode(), errand.profile.encode(), request, names)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
