"""What stands in for a CA or a ledger that is lost: it goes on showing the last /cacerts, and issues nothing.

A server that made itself a new CA would look healthy and be worthless: no device trusts it, and DPS does not know it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.adoption import Adoption
from nestor.approval import Approval, ApprovalLimits
from nestor.conveyance import Intent
from nestor.errors import CannotIssue, NestorError
from nestor.est.csrattrs import CsrAttributes, encode
from nestor.model import NO_TERMS, Entry, OneTime, Order, Refusal, Replay, Standing, Terms

_CLOSED = ("This server cannot issue at this time.", "Its operator finds the reason in its log and at /readyz.")
"""All that a device is told: the reason names files, and whoever asks may be a stranger."""


class ClosedAuthority:
    """An Authority that cannot sign, and says why."""

    def __init__(self, reason: NestorError, certificates: Sequence[x509.Certificate]) -> None:
        self._reason = reason
        self._certificates = tuple(certificates)

    def ca_certificates(self) -> Sequence[x509.Certificate]:
        """The last CA certificates that this server had."""
        return self._certificates

    def chain(self) -> Sequence[x509.Certificate]:
        """The last CA certificate and those above it."""
        return self._certificates

    def accepted(self) -> Sequence[x509.Certificate]:
        """The last CA certificate that this server had."""
        return self._certificates[:1]

    def csr_attributes(self, profile: str | None, *, link: bool) -> bytes:  # noqa: ARG002 -- the port's signature
        """Nothing but the binding, where a path asks for it."""
        return encode(CsrAttributes(challenge_password=link))

    async def enroll(self, order: Order) -> x509.Certificate:  # noqa: ARG002 -- the port's signature
        """Raise CannotIssue."""
        self._refuse()

    async def generate(
        self,
        order: Order,  # noqa: ARG002 -- the port's signature
    ) -> tuple[CertificateIssuerPrivateKeyTypes, x509.Certificate]:
        """Raise CannotIssue."""
        self._refuse()

    def problem(self) -> str:
        """Why nothing can be signed."""
        return self._reason.text

    def failure(self) -> None:
        """There is no key that could fail."""

    async def try_key(self) -> None:
        """There is no key to try."""

    def _refuse(self) -> NoReturn:
        raise CannotIssue(*_CLOSED) from self._reason


class ClosedLedger:
    """A Ledger that knows nothing and records nothing, and says why."""

    def __init__(self, reason: NestorError) -> None:
        self._reason = reason

    async def find(self, sha256: bytes) -> Entry | None:  # noqa: ARG002 -- the port's signature
        """Raise CannotIssue: without the ledger nobody knows which certificates still count."""
        self._refuse()

    async def standing(
        self,
        *,
        device: str,  # noqa: ARG002
        profile: str,  # noqa: ARG002
        spki_sha256: bytes,  # noqa: ARG002
        replay_key: bytes,  # noqa: ARG002
        one_time: OneTime | None,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Standing:
        """Raise CannotIssue."""
        self._refuse()

    async def record(
        self,
        entry: Entry,  # noqa: ARG002
        *,
        replay: Replay | None,  # noqa: ARG002
        one_time: OneTime | None,  # noqa: ARG002
        terms: Terms = NO_TERMS,  # noqa: ARG002
    ) -> Entry:
        """Raise CannotIssue."""
        self._refuse()

    async def approval(self, key: bytes, now: datetime) -> Approval | None:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    async def await_approval(self, approval: Approval, limits: ApprovalLimits) -> Approval:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    def refuse(self, refusal: Refusal) -> None:
        """Note nothing: there is nowhere to note it."""

    async def intend(self, intent: Intent) -> None:  # noqa: ARG002
        """Raise CannotIssue: nothing is sent that could not be recorded."""
        self._refuse()

    async def settle(self, key: bytes) -> None:
        """Forget nothing: nothing was written down."""

    async def live_certificates(self, device: str, now: datetime) -> Sequence[Entry]:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    async def certificates_of_key(self, spki_sha256: bytes) -> Sequence[Entry]:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    async def newest(self) -> datetime | None:
        """Nothing is known."""
        return None

    async def adoptions(self) -> Sequence[Adoption]:
        """Raise CannotIssue."""
        self._refuse()

    async def was_revoked(self, sha256: bytes, serial: int, issuer: bytes) -> bool:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    async def adopt(self, entry: Entry) -> Entry:  # noqa: ARG002
        """Raise CannotIssue."""
        self._refuse()

    def problem(self) -> str:
        """Why nothing can be recorded."""
        return self._reason.text

    def failure(self) -> None:
        """There is no thread that could end."""

    async def close(self) -> None:
        """There is nothing to close."""

    def _refuse(self) -> NoReturn:
        raise CannotIssue(*_CLOSED) from self._reason
