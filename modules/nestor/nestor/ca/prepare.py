"""A certificate but for its signature: validity and bytes, decided before anything is signed. Pure.

Time, serial and jitter are arguments. The draft that comes out is linted, then signed as it is.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.ca.content import Content
from nestor.ca.extensions import extensions_of
from nestor.ca.issuer import REMEDY, Issuer
from nestor.ca.profile import Profile
from nestor.ca.tbs import encode_tbs
from nestor.errors import CannotIssue, Forbidden

_MOST_BACKDATED = timedelta(minutes=5)
_BACKDATED_SHARE = 20
_TOO_SOON = "Renew the CA, or lower minimumLifetime of the profile."


@dataclass(frozen=True, slots=True)
class Draft:
    """A certificate but for its signature, and what it is meant to say."""

    content: Content
    serial: int
    tbs: bytes


def prepare(content: Content, issuer: Issuer, *, now: datetime, serial: int, jitter: float) -> Draft:
    """Draft a certificate; `jitter` in [0, 1) picks its lifetime within the variation of the profile.

    Raises CannotIssue where the CA has no time or no room for it, Forbidden where it has room for less than is asked.
    """
    _check_room(content, issuer)
    not_before, not_after = validity(content.profile, issuer, now, jitter)
    tbs = encode_tbs(
        serial=serial,
        algorithm=issuer.algorithm.der,
        issuer=issuer.name,
        not_before=not_before,
        not_after=not_after,
        subject=content.subject.public_bytes(),
        spki=content.key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extensions=extensions_of(content, issuer),
    )
    return Draft(content, serial, tbs)


def validity(profile: Profile, issuer: Issuer, now: datetime, jitter: float) -> tuple[datetime, datetime]:
    """From when to when a certificate is good: begun minutes ago, ending with its CA at the latest (design D20).

    A short life is back-dated less: aziot-certd counts its renewal from the beginning. Raises CannotIssue where the CA
    is not valid now, or ends too soon.
    """
    problem = issuer.problem(now)
    if problem is not None:
        raise CannotIssue(problem, REMEDY)
    begun = now.replace(microsecond=0) - min(_MOST_BACKDATED, profile.lifetime / _BACKDATED_SHARE)
    end = min(begun + profile.lifetime * (1 - profile.jitter * jitter), issuer.end)
    if end - begun < profile.minimum_lifetime:
        raise CannotIssue(
            f"The CA ends at {issuer.end:%Y-%m-%d %H:%M} UTC, too soon for a certificate of {profile.name}.",
            _TOO_SOON,
            retry_after=3600,
        )
    return max(begun, issuer.start), end


def last_problem(issuer: Issuer, profiles: Iterable[Profile], now: datetime) -> str | None:
    """Why a CA can issue nothing more, and what to do; None while there is a profile for which it has time."""
    problem = issuer.problem(now)
    if problem is not None:
        return f"{problem} {REMEDY}"
    for profile in profiles:
        with suppress(CannotIssue):
            validity(profile, issuer, now, 0.0)
            return None
    return f"The CA ends at {issuer.end:%Y-%m-%d %H:%M} UTC, too soon for a certificate of any profile. {_TOO_SOON}"


def _check_room(content: Content, issuer: Issuer) -> None:
    """A CA certificate needs room in the path lengths above it (RFC 5280, 4.2.1.9)."""
    length, room = content.path_length, issuer.room
    if length is None or room is None or room > length:
        return
    told = f"The path length of this CA is {room}, which leaves no room for the profile {content.profile.name}"
    if length == 0:
        raise CannotIssue(f"{told}.", "Load a CA with a path length of 1 or more, or without one.", retry_after=3600)
    less = f"Ask for {room - 1} at most; or" if room else "Nothing fits:"
    raise Forbidden(
        f"{told} with a path length of {length}.",
        f"{less} give this CA, and each one above it, a path length that is larger by one than that of the CA below.",
    )
