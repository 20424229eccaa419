"""The Authority that asks the server of the layer above: a registration authority (RFC 7030, 3.7; RFC 5272, 7).

Whoever comes here was authenticated and authorized before. The request goes up byte by byte as it came, with who asked
beside it; what comes back is looked at before it goes down. What is sent is written down first, so that an interruption
before it is recorded is known, and a retry asks for the same certificate and for no second one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.conveyance import Conveyance, Intent
from nestor.errors import NestorError, NotOffered, OurFault, ParentAway, ParentSilent
from nestor.est import csrattrs
from nestor.est.conveying import write_conveyance
from nestor.est.csrattrs import CsrAttributes
from nestor.model import Operation, Order, ProfileTraits
from nestor.ports import Clock, Intents
from nestor.upstream.client import ESTClient, Sending
from nestor.upstream.parent import Parent
from nestor.upstream.settings import Reenrollment
from nestor.upstream.verdict import check, issuer_of

LONGEST = 12.0
"""Seconds that an answer may take over all hops (design D1), where nobody says how many are left."""

OWN_SHARE = 0.25
"""Seconds that each hop keeps back from those above it, for its own part and the way."""

LEAST = 0.3
"""Seconds below which nothing is sent any more: the answer would come too late."""

REFRESH = 2.0
"""Seconds that it may take to ask for CA certificates anew, where one is met that is not known."""


class UpstreamAuthority:
    """What answers on one path: the server above, under the label that the path is mapped to."""

    def __init__(
        self, parent: Parent, label: str, *, intents: Intents, clock: Clock, traits: Callable[[str], ProfileTraits]
    ) -> None:
        self._parent = parent
        self._label = label
        self._intents = intents
        self._clock = clock
        self._traits = traits
        self._flights: dict[bytes, asyncio.Future[x509.Certificate | None]] = {}

    def ca_certificates(self) -> Sequence[x509.Certificate]:
        """Those of the server above, from memory; none before it was first reached."""
        return self._parent.certificates

    def csr_attributes(self, profile: str | None, *, link: bool) -> bytes:  # noqa: ARG002 -- the server above decides
        """What the server above asks for, byte by byte; `link` adds challengePassword."""
        der = self._parent.attributes(self._label)
        if der is not None and not link:
            return der
        asked = CsrAttributes() if der is None else csrattrs.decode(der)
        return csrattrs.encode(replace(asked, challenge_password=asked.challenge_password or link))

    async def enroll(self, order: Order) -> x509.Certificate:
        """Have the server above issue the certificate of an admitted order.

        The same request, come again while the first one is on its way, waits for that one's certificate.
        """
        while (flight := self._flights.get(order.replay_key)) is not None:
            certificate = await asyncio.shield(flight)
            if certificate is not None:
                return certificate
        flight = self._flights[order.replay_key] = asyncio.get_running_loop().create_future()
        certificate = None
        try:
            certificate = await self._forward(order)
        finally:
            del self._flights[order.replay_key]
            flight.set_result(certificate)
        return certificate

    async def generate(self, order: Order) -> tuple[CertificateIssuerPrivateKeyTypes, x509.Certificate]:  # noqa: ARG002
        """Raise NotOffered: a key that is made above would pass every hop."""
        _refuse_keys()

    async def _forward(self, order: Order) -> x509.Certificate:
        due = self._due(order.conveyance)
        left = due - self._clock.monotonic()
        sending = Sending(headers=self._headers(order, due), within=left, spki=order.csr.spki)
        await self._intents.intend(_intent_of(order, self._clock))
        try:
            certificate = await self._parent.ask(self._label, self._send(order), sending)
            await self._check(certificate, order, due)
        except ParentSilent:
            raise  # nobody knows what came of it, and that stays written down
        except NestorError:
            await self._intents.settle(order.replay_key)
            raise
        return certificate

    def _due(self, conveyance: Conveyance | None) -> float:
        """The moment by which the server above has to have answered."""
        now = self._clock.monotonic()
        said = conveyance.deadline if conveyance else None
        due = (now + LONGEST if said is None else said) - OWN_SHARE
        if due - now < LEAST:
            raise ParentAway("There is no time left to ask the server of the layer above.", "Ask again.", retry_after=1)
        return due

    def _headers(self, order: Order, due: float) -> Sequence[tuple[str, str]]:
        """What the server above is told of who asked; nothing, where it would not understand."""
        if not self._parent.terms.conveys:
            return ()
        told = order.conveyance
        if told is None or not told.names_somebody:
            raise OurFault("")  # it would count as a request of this server itself
        key = told.idempotency_key or order.replay_key.hex()
        return write_conveyance(replace(told, deadline=due - OWN_SHARE, idempotency_key=key), self._clock.monotonic())

    def _send(self, order: Order) -> Callable[[ESTClient, Sending], Awaitable[x509.Certificate]]:
        again = order.operation is Operation.SIMPLE_REENROLL
        if again and self._parent.terms.reenroll_as is Reenrollment.REENROLL:
            return lambda client, sending: client.reenroll(order.csr.der, sending)
        return lambda client, sending: client.enroll(order.csr.der, sending)

    async def _check(self, certificate: x509.Certificate, order: Order, due: float) -> None:
        """Look at an answer; an issuer that is not known may be a new one of the server above."""
        issuer = issuer_of(certificate, self._parent.certificates)
        if issuer is None:
            await self._parent.refresh_together(min(REFRESH, due - self._clock.monotonic()))
            issuer = issuer_of(certificate, self._parent.certificates)
        check(certificate, order, self._traits(order.profile), issuer, self._clock.now())


def _intent_of(order: Order, clock: Clock) -> Intent:
    return Intent(
        key=order.replay_key,
        sent_at=clock.now(),
        device=order.device,
        profile=order.profile,
        label=order.label,
        spki_sha256=order.csr.spki_sha256,
    )


def _refuse_keys() -> NoReturn:
    raise NotOffered("This server does not hand keys down from the layer above.", "Make the key on the device.")
