"""The gate (port `Gate`): joins who is asking, possession, policy and rates. Each is decided elsewhere in this room."""

import math
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from nestor.access import identify, policy, proof
from nestor.access.identify import Identifier
from nestor.access.policy import Rules
from nestor.access.throttle import Buckets
from nestor.errors import TooOften
from nestor.model import (
    CertificationRequest,
    Credentials,
    Label,
    Operation,
    Order,
    ProfileTraits,
    Requester,
    Standing,
)
from nestor.ports import Clock


class Gate:
    """Who is asking, and may they; asked on every request. `anchors` are the makers' CA certificates, for TLS."""

    def __init__(
        self,
        *,
        identifier: Identifier,
        rules: Rules,
        enrollments: Buckets,
        anchors: Sequence[x509.Certificate],
        clock: Clock,
    ) -> None:
        self.anchors = tuple(anchors)
        self._identifier = identifier
        self._rules = rules
        self._enrollments = enrollments
        self._clock = clock

    def complete(self, credentials: Credentials, csr: CertificationRequest | None, label: Label) -> Credentials:
        """Fill in the user that a request names only in its CSR: an empty user name, or a one-time code."""
        return identify.complete(credentials, csr, label)

    async def identify(self, credentials: Credentials, label: Label) -> Requester:
        """Who is asking. Raises Unauthenticated, Forbidden, TooOften, or CannotIssue (revocation lists missing)."""
        return await self._identifier.identify(credentials, label, self._clock.now(), self._clock.monotonic())

    async def is_forwarder(self, credentials: Credentials) -> bool:
        """Whether the TLS peer speaks for others: a forwarder that is listed, with a certificate that is good now."""
        return await self._identifier.is_forwarder(credentials, self._clock.now())

    def check_possession(self, csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
        """Check that the one who asks holds the key, and links it to this TLS session where told so (RFC 7030, 3.5)."""
        proof.check_possession(csr, credentials, label)

    def check_challenge(self, csr: CertificationRequest, credentials: Credentials, label: Label) -> None:
        """Check the link to this TLS session alone, for a key that the server is to make (RFC 7030, 4.4.1)."""
        proof.check_challenge(csr, credentials, label)

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
        """May they have this, and not too often. Raises Forbidden or TooOften."""
        order = policy.decide(
            rules=self._rules,
            requester=requester,
            csr=csr,
            profile=profile,
            operation=operation,
            label=label,
            standing=standing,
            now=now,
        )
        missing = self._enrollments.take((requester.caller, order.device), self._clock.monotonic())
        if missing:
            raise TooOften(
                f"{requester.name} asks for certificates of {order.device} too often.",
                "Check why the device does not keep what it gets.",
                retry_after=math.ceil(missing),
            )
        return order
