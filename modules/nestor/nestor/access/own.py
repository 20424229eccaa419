"""Certificates of our own: good only if an allowed issuer signed them directly and the ledger knows their SHA-256.

A chain to our root means nothing by itself: an Edge CA is below that root and could mint any name. Checked on every
request, because a TLS session may be older than a revocation.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from enum import Enum, auto

from cryptography import x509

from nestor.access.adoption import UNKNOWN
from nestor.access.certificates import (
    AGAIN,
    PRESENTED,
    check_dates,
    check_purpose,
    extension_of,
    is_issued_by,
    sha256_of,
)
from nestor.document import literal
from nestor.errors import Forbidden, Unauthenticated
from nestor.model import Entry, Grant, Method, ProfileTraits, Requester, State
from nestor.ports import Ledger

Traits = Callable[[str], ProfileTraits | None]
Adopt = Callable[[x509.Certificate, str, datetime], Awaitable[Entry | None]]
"""Takes a certificate that the ledger does not know into it, where an operator's word allows it (design D23)."""


class Kinship(Enum):
    """What a certificate has to do with our CA."""

    OURS = auto()
    FORGED = auto()
    MINTED = auto()
    FOREIGN = auto()


def kinship(
    certificate: x509.Certificate, chain: Iterable[x509.Certificate], issuers: Sequence[x509.Certificate]
) -> Kinship:
    """Whether one of the issuers signed it, somebody pretended so, or a certificate that an issuer signed did it."""
    if any(is_issued_by(certificate, issuer) for issuer in issuers):
        return Kinship.OURS
    if any(_names(certificate, issuer) for issuer in issuers):
        return Kinship.FORGED
    for link in chain:
        if is_issued_by(certificate, link) and any(is_issued_by(link, issuer) for issuer in issuers):
            return Kinship.MINTED
    return Kinship.FOREIGN


def _names(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether it says that this issuer signed it. Two CAs of one name are told apart by their keys, where both tell."""
    if certificate.issuer != issuer.subject:
        return False
    named = extension_of(certificate, x509.AuthorityKeyIdentifier)
    own = extension_of(issuer, x509.SubjectKeyIdentifier)
    return named is None or own is None or named.key_identifier in {None, own.digest}


class OwnCertificates:
    """Recognizes what this CA issued; `issuers` are those whose certificates may authenticate, old ones included."""

    def __init__(
        self, issuers: Callable[[], Sequence[x509.Certificate]], ledger: Ledger, traits: Traits, adopt: Adopt
    ) -> None:
        self.issuers = issuers
        self._ledger = ledger
        self._traits = traits
        self._adopt = adopt

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether one of the issuers did, whatever else is to be said of it."""
        return any(is_issued_by(certificate, issuer) for issuer in self.issuers())

    async def identify(
        self, certificate: x509.Certificate, chain: Sequence[x509.Certificate], now: datetime, address: str = ""
    ) -> Requester | None:
        """Who presents a certificate of ours; None for a foreign one.

        Raises Forbidden for what must not be presented at all, Unauthenticated for what merely does not authenticate.
        """
        match kinship(certificate, chain, self.issuers()):
            case Kinship.FOREIGN:
                return None
            case Kinship.FORGED:
                raise Forbidden(f"{PRESENTED} names this CA as its issuer, but this CA did not sign it.")
            case Kinship.MINTED:
                sentence = f"{PRESENTED} was issued by a CA below this one, such as an Edge CA."
                raise Forbidden(sentence, "Only certificates that this CA issued itself authenticate here.")
            case Kinship.OURS:
                entry = await self._ledger.find(sha256_of(certificate))
                entry = entry or await self._adopt(certificate, address, now)
                return requester_of(certificate, entry, self._traits, now)


def requester_of(certificate: x509.Certificate, entry: Entry | None, traits: Traits, now: datetime) -> Requester:
    """Judge a certificate that one of our issuers signed, with what the ledger says of it."""
    entry = _check_standing(entry)
    check_dates(certificate, now)
    # What we issue states its purpose; what another program issued under our CA, and the ledger was told of, may not.
    check_purpose(certificate, silent=entry.adopted_at is not None)
    profile = _check_profile(entry, traits)
    renewal = {profile.name} if profile.renewable else set()
    return Requester(
        method=Method.CERTIFICATE,
        name=entry.device,
        caller=f"certificate:{entry.sha256.hex()}",
        grant=Grant((literal(entry.device),), profile.may_request | renewal),
        origin=entry.origin,
        identity=entry.device,
        certificate=certificate,
        entry=entry,
    )


def _check_standing(entry: Entry | None) -> Entry:
    if entry is None:
        raise Forbidden(f"{UNKNOWN}.", AGAIN)
    if entry.state is State.REVOKED:
        raise Forbidden(f"{PRESENTED} has been revoked.", "Ask the operator of this server.")
    return entry


def _check_profile(entry: Entry, traits: Traits) -> ProfileTraits:
    profile = traits(entry.profile)
    if profile is None or not profile.authenticates:
        raise Unauthenticated(f"Certificates of the profile {entry.profile} do not authenticate here.", AGAIN)
    return profile
