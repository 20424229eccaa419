"""Who is asking: certificates and passwords, as the path wants them (RFC 7030, 3.2.3 and 3.3.2).

A valid certificate goes before a password. One that must not be presented (revoked, forged) is refused whatever comes
beside it; one that merely does not authenticate leaves the word to the password.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nestor.access import bootstrap
from nestor.access.bootstrap import Maker
from nestor.access.certificates import plausible, spki_of
from nestor.access.conveyed import Forwarder, Forwarders, conveyed_certificate
from nestor.access.own import OwnCertificates
from nestor.access.scope import OWN
from nestor.access.users import User
from nestor.access.verifier import Verifier
from nestor.conveyance import Conveyance, Statement
from nestor.errors import Forbidden, NestorError, Unauthenticated
from nestor.model import CertificationRequest, ChallengeUse, Combination, Credentials, Label, Method, Requester
from nestor.naming import device_id, fold


class Identifier:
    """Tells who is asking. `moment` is monotonic, in seconds; `now` is the wall clock."""

    def __init__(
        self, own: OwnCertificates, makers: Sequence[Maker], verifier: Verifier, forwarders: Forwarders
    ) -> None:
        self._own = own
        self._makers = makers
        self._verifier = verifier
        self._forwarders = forwarders

    async def identify(self, credentials: Credentials, label: Label, now: datetime, moment: float) -> Requester:
        """Who is asking. Raises Unauthenticated, Forbidden, TooOften, NotAForwarder, Looped, or CannotIssue."""
        proofs = _Proofs(
            certificate=lambda: self._by_certificate(credentials, self._makers, now),
            password=lambda: self._by_password(credentials, label, now, moment),
            shows_certificate=credentials.certificate is not None,
            shows_user=credentials.user is not None,
        )
        if (told := credentials.conveyed) is not None:
            forwarder = await self._forwarders.find(credentials, now)
            self._forwarders.check_way(told)
            if told.names_somebody:
                forwarder.check_label(label)
                proofs = self._conveyed(credentials, told, forwarder, now)
        return self._forwarders.onward(await _combined(proofs, label), credentials)

    async def is_forwarder(self, credentials: Credentials, now: datetime) -> bool:
        """Whether the TLS peer is a forwarder that is listed and let in."""
        try:
            await self._forwarders.find(credentials, now)
        except NestorError:
            return False
        return True

    def _conveyed(self, credentials: Credentials, told: Conveyance, forwarder: Forwarder, now: datetime) -> "_Proofs":
        """The same proofs as a forwarder conveys them: the same code judges certificates, it judged passwords."""

        async def certificate() -> Requester:
            shown = replace(credentials, certificate=conveyed_certificate(told), chain=told.chain)
            makers = [maker for maker in self._makers if forwarder.scope.takes(maker.name)]
            found = forwarder.bound(await self._by_certificate(shown, makers, now))
            if found.entry is not None:
                forwarder.check_issuer(OWN)
            return replace(found, conveyance=told)

        async def password() -> Requester:
            if told.statement is None:
                raise Forbidden("This path wants a password, and the forwarder does not state that it verified one.")
            return replace(forwarder.stated(told.statement), conveyance=told)

        return _Proofs(
            certificate,
            password,
            shows_certificate=told.certificate is not None,
            shows_user=told.statement is not None,
            challenges=False,
        )

    async def _by_certificate(self, credentials: Credentials, makers: Sequence[Maker], now: datetime) -> Requester:
        if credentials.certificate is None:
            raise Unauthenticated("This path wants a client certificate, and none was presented.")
        sent = plausible(credentials.chain)
        found = await self._own.identify(credentials.certificate, sent, now, credentials.address)
        if found is None:
            # A maker's CA may have cross-certified ours; below it our own keys still vouch for nobody.
            keys = {spki_of(issuer) for issuer in self._own.issuers()}
            chain = [link for link in sent if spki_of(link) not in keys]
            found = bootstrap.identify(credentials.certificate, chain, makers, now)
        return replace(found, conveyance=Conveyance(credentials.certificate, credentials.chain))

    async def _by_password(self, credentials: Credentials, label: Label, now: datetime, moment: float) -> Requester:
        if credentials.user is None:
            raise Unauthenticated("This path wants a user name and a password.", challenge=True)
        user = await self._verifier.verify(
            credentials.user, credentials.password or "", credentials.address, now, moment
        )
        address = credentials.address.partition("%")[0]  # a zone means nothing to another machine
        statement = Statement(Method.PASSWORD.value, user.name, label.name, address)
        return replace(requester_of(user), conveyance=Conveyance(statement=statement))


@dataclass(frozen=True, slots=True)
class _Proofs:
    """What somebody shows, and how each is judged when it is asked for; `challenges`: a password may follow yet."""

    certificate: Callable[[], Awaitable[Requester]]
    password: Callable[[], Awaitable[Requester]]
    shows_certificate: bool
    shows_user: bool
    challenges: bool = True


async def _combined(proofs: _Proofs, label: Label) -> Requester:
    """Who it is, by the proofs that a path wants."""
    match label.combination:
        case Combination.CERTIFICATE:
            return await proofs.certificate()
        case Combination.PASSWORD:
            return await proofs.password()
        case Combination.EITHER:
            return await _by_either(proofs)
        case Combination.BOTH:
            return bounded(await proofs.certificate(), await proofs.password())


async def _by_either(proofs: _Proofs) -> Requester:
    if proofs.shows_certificate:
        try:
            return await proofs.certificate()
        except Unauthenticated as unusable:
            if not proofs.shows_user:
                raise Unauthenticated(unusable.sentence, unusable.hint, challenge=proofs.challenges) from unusable
    return await proofs.password()


def complete(credentials: Credentials, csr: CertificationRequest | None, label: Label) -> Credentials:
    """Take the user from the request where the header names none: an empty user name, or a one-time code.

    An empty user name beside a password is legal (RFC 7030, 3.2.3); a challengePassword is a code on paths set so.
    """
    code = csr.challenge_password if csr is not None and label.challenge is ChallengeUse.ONE_TIME_CODE else None
    if csr is None or credentials.user or (credentials.user is None and code is None):
        return credentials
    return replace(credentials, user=device_id(csr.common_name), password=credentials.password or code)


def requester_of(user: User) -> Requester:
    """A user whose password was verified."""
    name = fold(user.name)
    return Requester(
        method=Method.PASSWORD,
        name=user.name,
        caller=f"password:{name}",
        grant=user.grant,
        origin=Method.PASSWORD,
        identity=name,
        one_time=user.spending,
    )


def bounded(requester: Requester, user: Requester) -> Requester:
    """Where both credentials are asked for, the certificate says who it is, and the user's grant bounds it as well."""
    told, stated = requester.conveyance, user.conveyance
    return replace(
        requester,
        name=f"{requester.name} with {user.name}",
        caller=f"{requester.caller} {user.caller}",
        grant=replace(requester.grant, within=user.grant),
        one_time=user.one_time,
        conveyance=replace(told, statement=stated.statement) if told and stated else told,
    )
