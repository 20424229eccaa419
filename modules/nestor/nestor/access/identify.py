"""Who is asking: certificates and passwords, as the path wants them (RFC 7030, 3.2.3 and 3.3.2).

A valid certificate goes before a password. One that must not be presented (revoked, forged) is refused whatever comes
beside it; one that merely does not authenticate leaves the word to the password.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from nestor.access import bootstrap
from nestor.access.bootstrap import Maker
from nestor.access.certificates import plausible, spki_of
from nestor.access.own import OwnCertificates
from nestor.access.users import User
from nestor.access.verifier import Verifier
from nestor.errors import Unauthenticated
from nestor.model import CertificationRequest, ChallengeUse, Combination, Credentials, Label, Method, Requester
from nestor.naming import device_id, fold


class Identifier:
    """Tells who is asking. `moment` is monotonic, in seconds; `now` is the wall clock."""

    def __init__(self, own: OwnCertificates, makers: Sequence[Maker], verifier: Verifier) -> None:
        self._own = own
        self._makers = makers
        self._verifier = verifier

    async def identify(self, credentials: Credentials, label: Label, now: datetime, moment: float) -> Requester:
        """Who is asking. Raises Unauthenticated, Forbidden, TooOften, or CannotIssue (revocation lists missing)."""
        match label.combination:
            case Combination.CERTIFICATE:
                return await self._by_certificate(credentials, now)
            case Combination.PASSWORD:
                return requester_of(await self._by_password(credentials, now, moment))
            case Combination.EITHER:
                return await self._by_either(credentials, now, moment)
            case Combination.BOTH:
                first = await self._by_certificate(credentials, now)
                return bounded(first, await self._by_password(credentials, now, moment))

    async def _by_either(self, credentials: Credentials, now: datetime, moment: float) -> Requester:
        if credentials.certificate is not None:
            try:
                return await self._by_certificate(credentials, now)
            except Unauthenticated as unusable:
                if credentials.user is None:
                    raise Unauthenticated(unusable.sentence, unusable.hint, challenge=True) from unusable
        return requester_of(await self._by_password(credentials, now, moment))

    async def _by_certificate(self, credentials: Credentials, now: datetime) -> Requester:
        if credentials.certificate is None:
            raise Unauthenticated("This path wants a client certificate, and none was presented.")
        sent = plausible(credentials.chain)
        ours = await self._own.identify(credentials.certificate, sent, now, credentials.address)
        if ours is not None:
            return ours
        # A maker's CA may have cross-certified ours; below it our own keys still vouch for nobody.
        keys = {spki_of(issuer) for issuer in self._own.issuers()}
        chain = [link for link in sent if spki_of(link) not in keys]
        return bootstrap.identify(credentials.certificate, chain, self._makers, now)

    async def _by_password(self, credentials: Credentials, now: datetime, moment: float) -> User:
        if credentials.user is None:
            raise Unauthenticated("This path wants a user name and a password.", challenge=True)
        return await self._verifier.verify(
            credentials.user, credentials.password or "", credentials.address, now, moment
        )


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


def bounded(requester: Requester, user: User) -> Requester:
    """Where both credentials are asked for, the certificate says who it is, and the user's grant bounds it as well."""
    return replace(
        requester,
        name=f"{requester.name} with {user.name}",
        caller=f"{requester.caller} {requester_of(user).caller}",
        grant=replace(requester.grant, within=user.grant),
        one_time=user.spending,
    )
