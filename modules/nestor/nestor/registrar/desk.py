"""One enrollment, from bytes to a certificate: read, identify, check possession, choose, decide, issue, record, tell.

Where a path asks for it, an operator has a word between the decision and the issuing; see `approval.py`.

Every step is somebody else's; this file knows their order and why it is so. What is refused is told as well.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509

from nestor.approval import ApprovalAnswer
from nestor.conveyance import Conveyance
from nestor.errors import (
    DeviceFault,
    Malformed,
    NestorError,
    NotOffered,
    OurFault,
    ParentAway,
    ParentSilent,
    Pending,
)
from nestor.est import csrattrs, pkcs10, transfer
from nestor.events import Enrolled, Refused, Trouble
from nestor.model import (
    CertificationRequest,
    Credentials,
    Entry,
    Label,
    Operation,
    Order,
    ProfileTraits,
    Refusal,
    Replay,
    Requester,
    Standing,
)
from nestor.ports import Authority, Clock, Gate, Ledger, Profiles, Sink, tell
from nestor.registrar.approval import Approver, Occasion, shortened
from nestor.registrar.entry import entry_of
from nestor.registrar.keygen import GeneratedKey, KeyGenerator, check_session
from nestor.registrar.labels import find_label

REPLAY_WINDOW = timedelta(seconds=120)
"""How long the same request gets the same certificate (design D6), and never more than 1 % of the lifetime."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it came: an operation on a path, a body still encoded, and who says to be asking."""

    operation: Operation
    label: str | None
    body: bytes = field(repr=False)
    credentials: Credentials
    request_id: str


@dataclass(slots=True)
class Case:
    """What has been found out about one request so far; a refusal tells as much as is known."""

    ask: Ask
    label: Label
    now: datetime
    csr: CertificationRequest | None = None
    requester: Requester | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be served: everything that issuing and recording need."""

    csr: CertificationRequest
    requester: Requester
    profile: ProfileTraits
    standing: Standing
    order: Order
    replay_key: bytes


class Registrar:
    """Where a request for a certificate is served (RFC 7030, 4.2 and 4.4)."""

    def __init__(
        self,
        *,
        labels: Mapping[str, Label],
        gate: Gate,
        profiles: Profiles,
        authority: Authority,
        ledger: Ledger,
        key_generator: KeyGenerator,
        approver: Approver,
        clock: Clock,
        sinks: Sequence[Sink],
        revision: str,
    ) -> None:
        self._labels = labels
        self._gate = gate
        self._profiles = profiles
        self._authority = authority
        self._ledger = ledger
        self._key_generator = key_generator
        self._approver = approver
        self._clock = clock
        self._sinks = sinks
        self._revision = revision.encode()

    def ca_certificates(self, label: str | None) -> Sequence[x509.Certificate]:
        """The CA certificates of a path (RFC 7030, 4.1). Raises UnknownPath."""
        find_label(self._labels, label)
        return self._authority.ca_certificates()

    def csr_attributes(self, label: str | None) -> bytes:
        """What requests on a path should hold, as the DER of CsrAttrs (RFC 7030, 4.5). Raises UnknownPath."""
        rules = find_label(self._labels, label)
        return self._authority.csr_attributes(rules.profile, link=rules.linking)

    async def enroll(self, ask: Ask) -> x509.Certificate:
        """Issue a certificate for the key in the request, or the one that this very request just got."""
        case = self._open(ask)
        try:
            admitted = await self._admit(case)
            if admitted.standing.replay is not None:
                return self._answer(admitted.standing.replay, replayed=True)
            order = await self._approved(case, admitted)
            certificate = await self._authority.enroll(order)
            entry = self._entry(case, admitted, certificate, admitted.csr.spki_sha256)
            window = min(REPLAY_WINDOW, (entry.not_after - entry.not_before) / 100)
            replay = Replay(admitted.replay_key, case.now + window)
            recorded = await self._ledger.record(
                entry, replay=replay, one_time=admitted.requester.one_time, terms=order.terms
            )
            return self._answer(recorded, replayed=_is_earlier(recorded, entry))
        except NestorError as fault:
            self._refuse(case, fault)
            raise _as_answered(fault, case.label) from fault.__cause__

    async def generate(self, ask: Ask) -> GeneratedKey:
        """Generate a key and its certificate; never the same twice (RFC 7030, 4.4)."""
        case = self._open(ask)
        try:
            if not case.label.server_keygen:
                raise NotOffered("This server does not generate keys on this path.", "Make the key on the device.")
            admitted = await self._admit(case)
            check_session(ask.credentials.secret_bits, admitted.profile)
            wrap = await self._key_generator.wrapping(admitted.csr, case.label, admitted.requester, case.now)
            order = await self._approved(case, admitted)
            key, certificate = await self._authority.generate(order)
            spki = hashlib.sha256(self._key_generator.spki(key)).digest()
            entry = self._entry(case, admitted, certificate, spki)
            recorded = await self._ledger.record(
                entry, replay=None, one_time=admitted.requester.one_time, terms=order.terms
            )
            self._answer(recorded, replayed=False)
            return wrap(key, certificate)
        except NestorError as fault:
            self._refuse(case, fault)
            raise _as_answered(fault, case.label) from fault.__cause__

    def _open(self, ask: Ask) -> Case:
        return Case(ask, find_label(self._labels, ask.label), self._clock.now())

    async def _admit(self, case: Case) -> Admitted:
        """Find out who asks for what, and whether they may. The body is judged only after its sender is known."""
        reading = self._read(case)
        credentials = self._gate.complete(case.ask.credentials, case.csr, case.label)
        requester = case.requester = await self._gate.identify(credentials, case.label)
        if isinstance(reading, Malformed):
            raise reading
        keygen = case.ask.operation is Operation.SERVER_KEYGEN
        if keygen:
            self._gate.check_challenge(reading, credentials, case.label)
        else:
            self._gate.check_possession(reading, credentials, case.label)
        self._check_attributes(reading, case.label, key=not keygen)
        profile = self._profiles.choose(reading, case.label.profile)
        replay_key = self._replay_key(requester, case.label, reading, profile)
        standing = await self._ledger.standing(
            device=reading.device,
            profile=profile.name,
            spki_sha256=reading.spki_sha256,
            replay_key=b"" if keygen else replay_key,
            one_time=requester.one_time,
            now=case.now,
        )
        admitted = self._gate.authorize(
            requester=requester,
            csr=reading,
            profile=profile,
            operation=case.ask.operation,
            label=case.label,
            standing=standing,
            now=case.now,
        )
        order = replace(
            admitted,
            operation=case.ask.operation,
            replay_key=replay_key,
            conveyance=replace(admitted.conveyance or Conveyance(), deadline=credentials.deadline),
        )
        return Admitted(reading, requester, profile, standing, order, replay_key)

    async def _approved(self, case: Case, admitted: Admitted) -> Order:
        """The order, once an operator approved it where that is needed. Asked last: what is refused never waits."""
        if not admitted.order.needs_approval:
            return admitted.order
        occasion = Occasion(case.ask.credentials.address, case.ask.request_id, case.now)
        return await self._approver.check(admitted.order, admitted.requester, case.label, occasion)

    def _read(self, case: Case) -> CertificationRequest | Malformed:
        try:
            case.csr = pkcs10.read(transfer.decode(case.ask.body, lenient=case.label.lenient))
        except Malformed as fault:
            return fault
        return case.csr

    def _check_attributes(self, csr: CertificationRequest, label: Label, *, key: bool) -> None:
        """Hold a request to what /csrattrs asks for, where the label says so (RFC 7030, 4.5.2); `key` if its own."""
        if not label.enforce_csr_attributes:
            return
        wanted = csrattrs.decode(self._authority.csr_attributes(label.profile, link=label.linking))
        wanted = wanted if key else replace(wanted, key=None, signature_hash=None)
        missing = csrattrs.unmet(wanted, csr)
        if missing is not None:
            raise Malformed(
                f"The request does not follow this path's CSR attributes: {missing}.", "Ask /csrattrs first."
            )

    def _replay_key(
        self, requester: Requester, label: Label, csr: CertificationRequest, profile: ProfileTraits
    ) -> bytes:
        caller = requester.caller
        if requester.forwarder is not None and requester.conveyance is not None:
            # The first hop's word that it is the same request, though a forwarder between shows a new certificate.
            caller = requester.conveyance.idempotency_key or caller
        parts = (caller.encode(), label.name.encode(), csr.sha256, profile.name.encode(), self._revision)
        return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()

    def _entry(self, case: Case, admitted: Admitted, certificate: x509.Certificate, spki_sha256: bytes) -> Entry:
        return entry_of(
            certificate,
            order=admitted.order,
            requester=admitted.requester,
            spki_sha256=spki_sha256,
            now=case.now,
            address=case.ask.credentials.address,
            request_id=case.ask.request_id,
        )

    def _answer(self, entry: Entry, *, replayed: bool) -> x509.Certificate:
        tell(self._sinks, Enrolled(entry, replayed))
        return x509.load_der_x509_certificate(entry.der)

    def _refuse(self, case: Case, fault: NestorError) -> None:
        """Note a refusal in the ledger and tell it; trouble of our own side is told as trouble too."""
        requester = case.requester
        refusal = Refusal(
            at=case.now,
            address=case.ask.credentials.address,
            label=case.label.name,
            operation=case.ask.operation.value,
            method=requester.method if requester else None,
            requester=shortened(_name_of(case)),
            subject=shortened(case.csr.subject.rfc4514_string()) if case.csr else "",
            reason=fault.reason,
            sentence=shortened(_told(fault)),
            request_id=case.ask.request_id,
        )
        self._ledger.refuse(refusal)
        tell(self._sinks, Refused(refusal, shortened(_way_of(case.ask.credentials))))
        if not isinstance(fault, _TOLD_ELSEWHERE):
            about = "bug" if isinstance(fault, OurFault) else "issuance"
            tell(self._sinks, Trouble(about, fault.text, fault.__cause__))


_TOLD_ELSEWHERE = DeviceFault | Pending | ParentAway | ParentSilent
"""What is no trouble of this server's; that a parent is not reached, its state tells, once."""


def _name_of(case: Case) -> str:
    """Who asked, as far as it is known, and by whose word."""
    requester, credentials = case.requester, case.ask.credentials
    if requester is not None:
        return f"{requester.name} by {requester.forwarder}" if requester.forwarder else requester.name
    told = credentials.conveyed
    if told is None or not told.names_somebody:
        return credentials.user or ""
    stated = told.statement.user if told.statement else ""
    return f"{told.certificate.subject.rfc4514_string() if told.certificate else stated} by {_peer_of(credentials)}"


def _way_of(credentials: Credentials) -> str:
    """Whose certificate came with somebody else's request, and the hops before, the first one first; else nothing."""
    told = credentials.conveyed
    if told is None or not told.names_somebody:
        return ""
    return f"{_peer_of(credentials)} ({', '.join(told.hops)})" if told.hops else _peer_of(credentials)


def _peer_of(credentials: Credentials) -> str:
    certificate = credentials.certificate
    return certificate.subject.rfc4514_string() if certificate else "nobody"


def _is_earlier(recorded: Entry, entry: Entry) -> bool:
    """Whether what was recorded is of an earlier request: a server above may give the same certificate once more."""
    return (recorded.sha256, recorded.request_id) != (entry.sha256, entry.request_id)


def _as_answered(fault: NestorError, label: Label) -> NestorError:
    """Whoever has to wait, for an operator here or above, is told so as the path answers: never 202 unasked (D8)."""
    if not isinstance(fault, Pending):
        return fault
    accepted = label.approval.answer is ApprovalAnswer.ACCEPTED
    return Pending(fault.sentence, fault.hint, retry_after=fault.retry_after, accepted=accepted)


def _told(fault: NestorError) -> str:
    """What the operator is told: the sentence that the device got, and what lies behind it."""
    behind = fault.__cause__
    if not isinstance(fault, DeviceFault) or behind is None:
        return fault.text
    told = behind.text if isinstance(behind, NestorError) else str(behind)
    return fault.text if told in fault.text else f"{fault.text} ({told})"
