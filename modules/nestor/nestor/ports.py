"""The doorways between rooms, in words of the model: one to a few methods each, never an HTTP object.

Each port has one contract suite under `tests/contract/`, run against every implementation.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalLimits
from nestor.cloud import LinkState, Message, MethodAnswer
from nestor.conveyance import Intent
from nestor.events import Event
from nestor.model import (
    NO_TERMS,
    CertificationRequest,
    Credentials,
    Entry,
    Errand,
    Label,
    Method,
    OneTime,
    Operation,
    Order,
    ProfileTraits,
    Refusal,
    Replay,
    Requester,
    Standing,
    Terms,
)


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring how long something took."""


class Sink(Protocol):
    """A listener: hears every event, answers nothing, raises nothing."""

    def __call__(self, event: Event, /) -> None:
        """Hear one event."""


class Ledger(Protocol):
    """What was issued. Nothing leaves the house before `record` has returned (design D5)."""

    async def find(self, sha256: bytes) -> Entry | None:
        """The entry of a certificate by the SHA-256 of its DER encoding."""

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
        """Everything that bears on one request, in one reading."""

    async def record(
        self, entry: Entry, *, replay: Replay | None, one_time: OneTime | None, terms: Terms = NO_TERMS
    ) -> Entry:
        """Make the entry durable, then return it.

        Where the same replay key was recorded a moment ago, nothing is written and the earlier entry is returned:
        one row decides a race. Older active entries of the same device and profile become superseded. A certificate
        that is recorded for the same device and key already, and not revoked, stays one entry.

        Raises Forbidden where the terms no longer hold, CannotIssue where the row cannot be made durable, or another
        certificate of its issuer has its serial number. An approval among the terms is used up by it.
        """

    async def approval(self, key: bytes, now: datetime) -> Approval | None:
        """What an operator said of this very request, or that it waits; None where it is unknown or forgotten."""

    async def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval:
        """Make durable that somebody asks for what has to be approved, at its `last_asked_at`; the row as it is then.

        One that was decided stays as it is, one that is used up or forgotten begins anew. A denial of the same device
        and profile to the same credential at the same address is returned instead.

        Raises TooOften where too many wait.
        """

    def refuse(self, refusal: Refusal) -> None:
        """Note a refusal; kept in bounded number, lost rather than waited for."""

    async def live_certificates(self, device: str, now: datetime) -> Sequence[Entry]:
        """The unexpired, unrevoked certificates of a device."""

    async def certificates_of_key(self, spki_sha256: bytes) -> Sequence[Entry]:
        """Every certificate of a public key, in whatever state, oldest first."""

    async def newest(self) -> datetime | None:
        """When the newest entry was issued: the floor under the clock."""

    async def adoptions(self) -> Sequence[Adoption]:
        """Every word that was given about certificates that this ledger does not know, oldest first (design D23)."""

    async def was_revoked(self, sha256: bytes, serial: int, issuer: bytes) -> bool:
        """Whether a certificate has been revoked, although the ledger itself may have forgotten it.

        One with the serial number of a revoked one counts as that one, unless it is known to be of another issuer.
        """

    async def adopt(self, entry: Entry) -> Entry:
        """Make the entry of a certificate durable that was issued before, then return it; one that is known stays.

        Of the active entries of a device and profile, the one whose certificate began last stays active.
        """


class Intents(Protocol):
    """What is on its way to a server above: durable before it is sent, forgotten once its certificate is recorded."""

    async def intend(self, intent: Intent) -> None:
        """Make an intent durable. Raises CannotIssue."""

    async def settle(self, key: bytes) -> None:
        """Forget an intent of which nothing came. Raises CannotIssue."""


class Authority(Protocol):
    """What answers an enrollment: a CA here, or an EST server of the layer above."""

    def ca_certificates(self) -> Sequence[x509.Certificate]:
        """What /cacerts shows (RFC 7030, 4.1.3); never fails."""

    def csr_attributes(self, profile: str | None, *, link: bool) -> bytes:
        """The DER of CsrAttrs for a profile (RFC 7030, 4.5.2; RFC 9908); `link` adds challengePassword.

        None stands for a path where the shape of the request chooses: what it says must not steer that choice.
        """

    async def enroll(self, order: Order) -> x509.Certificate:
        """Issue a certificate.

        Raises Forbidden or Malformed where the profile does not allow the request, CannotIssue where nothing can be
        signed.
        """

    async def generate(self, order: Order) -> tuple[CertificateIssuerPrivateKeyTypes, x509.Certificate]:
        """Generate a key of the profile's kind and issue a certificate for it (RFC 7030, 4.4)."""


class Profiles(Protocol):
    """Which profile a request is for (design D2)."""

    def traits(self, name: str) -> ProfileTraits:
        """What the gate must know of a profile."""

    def choose(self, csr: CertificationRequest, pinned: str | None) -> ProfileTraits:
        """The profile that a label pins, or the one that follows from the shape of the request.

        Raises Forbidden for a shape that no profile takes, and names that shape.
        """


class Gate(Protocol):
    """Who is asking, and may they; asked on every request, denies by default."""

    def complete(self, credentials: Credentials, csr: CertificationRequest | None, label: Label) -> Credentials:
        """Fill in the user that a request names only in its CSR: an empty user name, or a one-time code."""

    async def identify(self, credentials: Credentials, label: Label) -> Requester:
        """Who is asking. Raises Unauthenticated, Forbidden, TooOften, or CannotIssue if revocation cannot be told."""

    def check_possession(self, csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
        """Check that the one who asks holds the key, and links it to this TLS session where told so (RFC 7030, 3.5)."""

    def check_challenge(self, csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
        """Check the link to this TLS session alone, for a key that the server is to make (RFC 7030, 4.4.1)."""

    def authorize(
        self,
        *,
        requester: Requester,
        csr: CertificationRequest,
        profile: ProfileTraits,
        operation: Operation,
        label: Label,
        standing: Standing,
        now: datetime,
    ) -> Order:
        """May they have this: the one function that decides. Raises Forbidden or TooOften."""


class HostGate(Protocol):
    """What the operator of this host may have: every profile, for the names that they write themselves."""

    def complete(self, errand: Errand) -> CertificationRequest:
        """The request with what the operator writes beside it: a name where it has none, more alternative names.

        Raises Forbidden for a request for another name, or for alternative names that nobody wrote.
        """

    def identify(self, csr: CertificationRequest, standing: Standing) -> Requester:
        """The operator, granted the names of a request that was completed."""

    def authorize(
        self,
        *,
        errand: Errand,
        requester: Requester,
        csr: CertificationRequest,
        profile: ProfileTraits,
        standing: Standing,
        live: Sequence[Entry],
        certified: Sequence[Entry],
        now: datetime,
    ) -> Order:
        """May they have this: `live` are the certificates of the device, `certified` those of the key.

        Raises Forbidden.
        """


class Hub(Protocol):
    """The way to edgeHub, and by it to the cloud; it may be away for months."""

    @property
    def link(self) -> LinkState:
        """Whether edgeHub is reached at this moment."""

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties; null deletes. Raises Unavailable where nobody took it in time."""

    async def send(self, message: Message) -> None:
        """Send a message. Raises Unavailable where nobody took it in time."""


class ModuleSide(Protocol):
    """What the Hub hands over; every call happens in the loop of the module, one after the other."""

    async def desired(self, document: Mapping[str, Any], version: int) -> None:
        """Hear the whole desired document, without metadata, after each change, and after each reading of the twin."""

    async def reported(self, document: Mapping[str, Any]) -> None:
        """Hear the whole reported document as the hub holds it, after each reading of the twin."""

    async def invoke(self, method: str, payload: object) -> MethodAnswer:
        """Answer a direct method; raises nothing."""

    def link_changed(self, state: LinkState) -> None:
        """Hear that edgeHub is reached, or is not any more."""


class Sealer(Protocol):
    """Somebody else's key that seals bytes so that only they can open them: the workload API of IoT Edge."""

    async def seal(self, plaintext: bytes) -> bytes:
        """Bytes that tell nothing. Raises Unavailable."""

    async def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises MaterialError where the sealing key is gone, Unavailable where nobody answers."""


class Runtime(Protocol):
    """The IoT Edge runtime of this host, by its workload API. Every method may raise Unavailable."""

    async def trust_bundle(self) -> Sequence[x509.Certificate]:
        """The certificates that modules of this device are to trust; they change when the Edge CA is renewed."""

    async def server_certificate(
        self, common_name: str
    ) -> tuple[Sequence[x509.Certificate], CertificateIssuerPrivateKeyTypes]:
        """A new certificate below this device's Edge CA, its chain after it, and its key; it lives 30 days at most."""

    async def sign(self, data: bytes) -> bytes:
        """HMAC-SHA256 of bytes, with the key of this module."""


def tell(sinks: Iterable[Sink], event: Event) -> None:
    """Tell every listener of one event."""
    for sink in sinks:
        sink(event)


__all__ = [
    "Authority",
    "Clock",
    "Gate",
    "HostGate",
    "Hub",
    "Intents",
    "Ledger",
    "Method",
    "ModuleSide",
    "Profiles",
    "Runtime",
    "Sealer",
    "Sink",
    "tell",
]
