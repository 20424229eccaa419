"""Identity across a hop: who may tell who asks, and for whom (RFC 9440, 4; design D7).

A header counts only from a TLS peer whose certificate says clientAuth and cmcRA, comes straight from an issuer that is
allowed to make forwarders, and has a subject that the settings list. Even then the word of a forwarder is about its
scope only, and says no more of a certificate than that its key was held: all the rest is looked at again, here.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from nestor.access.certificates import (
    PRESENTED,
    check_dates,
    check_purpose,
    extension_of,
    is_issued_by,
    plausible,
    sha256_of,
)
from nestor.access.names import printable
from nestor.access.own import OwnCertificates
from nestor.access.scope import Scope, beyond
from nestor.conveyance import MOST_HOPS, Conveyance, Statement
from nestor.document import any_covers
from nestor.errors import Forbidden, ForwarderForbidden, Looped, NestorError, NotAForwarder, Unauthenticated
from nestor.est.names import same_name
from nestor.est.oids import CMC_RA
from nestor.model import Credentials, Grant, Label, Method, Requester
from nestor.naming import fold, issuer_id

PROFILE = "forwarder"
"""What the certificates of forwarders are issued by."""

_ANOTHER = "Its operator looks at its clock, and has another one issued to it, for a new key."
_NOBODY = "and access.forwarders lists nobody"
_HINT = "A device leaves such headers out; the operator lists a forwarder in access.forwarders."


@dataclass(frozen=True, slots=True)
class Forwarder:
    """A server below that passes on the requests of others. Without `issuers` its certificate comes from our own CA."""

    name: str
    subject: x509.Name
    issuers: tuple[x509.Certificate, ...]
    scope: Scope

    def check_label(self, label: Label) -> None:
        """Raise Forbidden on a path that it does not serve."""
        if not any_covers(self.scope.labels, label.name):
            raise beyond(self.name, f"does not serve the label {label.name}", "labels")

    def check_issuer(self, issuer: str) -> None:
        """Raise Forbidden for certificates of an issuer that it does not convey."""
        if not self.scope.takes(issuer):
            raise beyond(self.name, "does not convey certificates of this CA", "issuers")

    def bound(self, requester: Requester) -> Requester:
        """The same requester, for what this forwarder may have asked. Raises Forbidden for one of somebody else's."""
        if requester.identity is not None and not any_covers(self.scope.grant.names, requester.identity):
            raise beyond(self.name, f"does not speak for {requester.identity}", "names")
        return replace(requester, grant=_within(requester.grant, self.scope.grant), forwarder=self.name)

    def stated(self, statement: Statement) -> Requester:
        """The one whose password it says it has verified. Raises Forbidden where its word does not count."""
        if not self.scope.statements or statement.method != Method.PASSWORD:
            raise beyond(self.name, "does not state who asked by a password", "statements")
        return Requester(
            method=Method.PASSWORD,
            name=printable(statement.user),
            caller=f"forwarder:{self.name} password:{fold(statement.user)}",
            grant=self.scope.grant,
            origin=Method.PASSWORD,
            forwarder=self.name,
        )


class Forwarders:
    """Those that the settings list.

    `own` recognizes the certificates of the CAs that make forwarders without being named as their anchors. `here` is
    the id of this server among the hops. `was_revoked` tells whether a certificate is on the deny list of this ledger,
    by its SHA-256 and serial number.
    """

    def __init__(
        self,
        known: Sequence[Forwarder],
        own: Sequence[OwnCertificates],
        here: str,
        was_revoked: Callable[[bytes, int, bytes], Awaitable[bool]],
    ) -> None:
        self.here = here
        self._known = known
        self._own = own
        self._was_revoked = was_revoked

    async def find(self, credentials: Credentials, now: datetime) -> Forwarder:
        """The forwarder that sent a request which tells of somebody else.

        Raises NotAForwarder for everybody else, ForwarderForbidden for a certificate that is no good (now), CannotIssue
        where it cannot be known whether it is.
        """
        certificate = credentials.certificate
        if certificate is None:
            raise _stranger("no certificate")
        if not is_marked(certificate):
            raise _stranger(f"{_shown(certificate)}, which is not that of a forwarder")
        named = [one for one in self._known if same_name(one.subject, certificate.subject)]
        for forwarder in named:
            if any(is_issued_by(certificate, issuer) for issuer in forwarder.issuers):
                await self._check(certificate, now)
                return forwarder
        listed = next((one for one in named if not one.issuers), None)
        if listed is None or not await self._is_made_for_it(certificate, credentials, now):
            raise _stranger(f"{_shown(certificate)}, " + ("which is not listed" if self._known else _NOBODY))
        return listed

    async def _check(self, certificate: x509.Certificate, now: datetime) -> None:
        """Raise ForwarderForbidden for one of somebody else's CA that is no good (now), or was revoked here."""
        try:
            check_dates(certificate, now)
            check_purpose(certificate)
        except Unauthenticated as fault:
            raise _unfit(certificate, fault) from None
        serial, issuer = certificate.serial_number, issuer_id(certificate)
        if await self._was_revoked(sha256_of(certificate), serial, issuer):
            raise _unfit(certificate, Forbidden(f"{PRESENTED} has been revoked here."))

    async def _is_made_for_it(self, certificate: x509.Certificate, credentials: Credentials, now: datetime) -> bool:
        """Whether it is one of our own of the right profile, by the ledger. Raises for one that is no good."""
        # A CA above and the one here may have one name, or one be below the other: first of all whoever signed it.
        for own in [one for one in self._own if one.signed(certificate)] or self._own:
            try:
                found = await own.identify(certificate, plausible(credentials.chain), now, credentials.address)
            except (Forbidden, Unauthenticated) as fault:
                raise _unfit(certificate, fault) from None
            if found is not None:
                return found.entry is not None and found.entry.profile == PROFILE
        return False

    def check_way(self, conveyed: Conveyance) -> None:
        """Raise Looped for a request that was here before, or that has come too far."""
        if self.here in conveyed.hops:
            raise Looped("This request has passed this server before.", "Check who is whose parent.")
        if len(conveyed.hops) > MOST_HOPS:
            raise Looped(f"This request has passed more than {MOST_HOPS} forwarders.", "Check who is whose parent.")

    def onward(self, requester: Requester, credentials: Credentials) -> Requester:
        """With what the next hop is to be told: who asked, as the first hop found, and that it has passed here."""
        told = requester.conveyance or Conveyance()
        return replace(requester, conveyance=replace(told, hops=(*told.hops, self.here), deadline=credentials.deadline))


def is_marked(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that its holder speaks for others: cmcRA (RFC 6402, 2.10)."""
    return CMC_RA in (extension_of(certificate, x509.ExtendedKeyUsage) or ())


def conveyed_certificate(conveyed: Conveyance) -> x509.Certificate:
    """The certificate that a forwarder conveys; never a forwarder's. Raises Forbidden."""
    if conveyed.certificate is None:
        raise Forbidden("This path wants a client certificate, and the forwarder conveys none.")
    if is_marked(conveyed.certificate):
        raise Forbidden("The certificate conveyed is that of a forwarder, which speaks for itself only.")
    return conveyed.certificate


def _within(grant: Grant, bound: Grant) -> Grant:
    return replace(grant, within=bound if grant.within is None else _within(grant.within, bound))


def _shown(certificate: x509.Certificate) -> str:
    return f"the certificate {printable(certificate.subject.rfc4514_string())}"


def _unfit(certificate: x509.Certificate, fault: NestorError) -> ForwarderForbidden:
    """What was found of its certificate, said so that no device below takes it for its own."""
    whose = f"The certificate of the forwarder {printable(certificate.subject.rfc4514_string())}"
    return ForwarderForbidden(fault.sentence.replace(PRESENTED, whose, 1), _ANOTHER)


def _stranger(shown: str) -> NotAForwarder:
    return NotAForwarder(f"Only a forwarder may tell who asks, and this peer showed {shown}.", _HINT)
