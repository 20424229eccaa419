"""What this server has from the one above: its certificates are looked after, and while that one is away it is said so.

That it is away is a warning as long as what there is lasts; an error, where something is missing or close to its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from nestor.app.authority import Source
from nestor.app.layer.approach import approach, first_credential, url_of
from nestor.app.layer.authority import forget_ended, look_after_ca
from nestor.app.layer.identity import REFUSALS, OwnIdentity, look_after_identity
from nestor.ca.home import CAHome
from nestor.ca.settings import CASource
from nestor.errors import CannotIssue, MaterialError, NestorError, Pending, TooOften, Unavailable
from nestor.events import Trouble
from nestor.jobs import Seldom
from nestor.keys.seals import Keyring
from nestor.settings import Settings
from nestor.upstream.faults import BadAnswer, Untrusted
from nestor.upstream.identity import ClientIdentity
from nestor.upstream.judging import hint_of
from nestor.upstream.lifetimes import MOST_URGENT, is_good, renewal_time, urgency

JOB = "certificates from the parent"
"""What this is called in the log."""

_MOST_PAUSES = 30
"""How many looks may be left out after failures; each failure doubles the pause."""

_SAID = 60.0
"""Seconds for which what was told is not told in the same words again."""

_MOST_PAUSES_WITHOUT_CA = 3
"""The same while nothing can be issued."""


@dataclass(frozen=True, slots=True)
class CALife:
    """The CA of this layer in time: whose it is, when it is renewed, what is wrong with that."""

    parent: str
    renewed_at: datetime
    problem: str | None


class Upkeep:
    """Looks after what this server has from the one above."""

    def __init__(self) -> None:
        self._fault: NestorError | None = None
        self._failures = 0
        self._pauses = 0
        self._told = 0
        self._seldom = Seldom(_SAID)

    @property
    def fault(self) -> NestorError | None:
        """Why the last look did not bring what was due."""
        return self._fault

    async def look(self, source: Source, keyring: Keyring, own: OwnIdentity) -> bool:
        """Have what is due; whether the CA is another one now.

        Raises NestorError where the server above is no help, and that cannot wait. After a failure some looks are left
        out, fewer while there is no CA.
        """
        if not has_dues(source.settings):
            return False
        forgot = forget_ended(CAHome(source.data), source.clock.now())
        if self._pauses > 0:
            self._pauses -= 1
            return forgot
        try:
            changed = await _look(source, keyring, own)
        except NestorError as caught:
            fault = own.fault = _for_operators(caught)
            self._failed(fault, urgent=not CAHome(source.data).was_made)
            self._warn(source)
            good_until = _good_until(source, own)
            if good_until is None or not _mends_itself(fault):
                raise fault from fault.__cause__
            told = f"{fault.text} What there is lasts until {good_until:%Y-%m-%d %H:%M} UTC."
            if self._seldom.is_due(told, source.clock.monotonic()):
                source.sink(Trouble(JOB, told, fault.__cause__, passing=True))
            return forgot
        self._fault, self._failures, self._told, own.fault = None, 0, 0, None
        return changed or forgot

    def warnings(self, settings: Settings, data: Path, now: datetime) -> Iterator[str]:
        """What its operator has to hear in time: the CA ends, and the server above does not renew it."""
        certificate = _certificate(settings, data)
        if certificate is None or self._fault is None or not urgency(certificate, now):
            return
        end = certificate.not_valid_after_utc
        left = "less than a third" if urgency(certificate, now) == 1 else "less than a tenth"
        yield (
            f"The CA of this layer ends at {end:%Y-%m-%d %H:%M} UTC; {left} of its life is left, and it could not be "
            f"renewed: {self._fault.text}"
        )

    def ca_life(self, settings: Settings, data: Path) -> CALife | None:
        """The CA of this layer in time; None where it is not from a parent."""
        certificate = _certificate(settings, data)
        if certificate is None:
            return None
        return CALife(url_of(settings.upstream), renewal_time(certificate), self._fault.text if self._fault else None)

    def _failed(self, fault: NestorError, *, urgent: bool) -> None:
        self._fault = fault
        self._pauses = min(2**self._failures, _MOST_PAUSES_WITHOUT_CA if urgent else _MOST_PAUSES)
        self._failures += 1

    def _warn(self, source: Source) -> None:
        """Tell once at a third of the CA's life, and once at a tenth."""
        for sentence in self.warnings(source.settings, source.data, source.clock.now()):
            level = urgency(CAHome(source.data).certificates()[0], source.clock.now())
            if level > self._told:
                self._told = level
                source.sink(Trouble("ca", sentence))


def has_dues(settings: Settings) -> bool:
    """Whether there is anything to have from the server above."""
    return settings.upstream.identity.name is not None or settings.ca.source is CASource.PARENT


def _certificate(settings: Settings, data: Path) -> x509.Certificate | None:
    """The CA certificate of a layer; None where there is none that can be read."""
    try:
        return CAHome(data).certificates()[0] if settings.ca.source is CASource.PARENT else None
    except MaterialError:
        return None


def _for_operators(fault: NestorError) -> NestorError:
    """The same, with what the operator of this server does about it."""
    if not isinstance(fault, Untrusted):
        return fault
    told = type(fault)(fault.sentence, hint_of(fault))
    told.__cause__ = fault.__cause__
    return told


def _mends_itself(fault: NestorError) -> bool:
    """Whether the server above is away, busy or undecided, and no more than that."""
    return isinstance(fault, Unavailable | CannotIssue | TooOften | Pending) and not isinstance(
        fault, BadAnswer | Untrusted
    )


def _good_until(source: Source, own: OwnIdentity) -> datetime | None:
    """When the first certificate from the server above ends; None where one is missing, or is at its last tenth."""
    held: list[x509.Certificate | None] = []
    if source.settings.upstream.identity.name is not None:
        shown = own.current()
        held.append(shown.certificate if shown else None)
    if source.settings.ca.source is CASource.PARENT:
        held.append(_certificate(source.settings, source.data))
    now = source.clock.now()
    lasting = [one for one in held if one is not None and is_good(one, now) and urgency(one, now) < MOST_URGENT]
    return min(one.not_valid_after_utc for one in lasting) if len(lasting) == len(held) > 0 else None


def _ca_is_due(source: Source) -> bool:
    home = CAHome(source.data)
    return not home.was_made or source.clock.now() >= renewal_time(home.certificates()[0])


async def _look(source: Source, keyring: Keyring, own: OwnIdentity) -> bool:
    """Have what is due; whether the CA is another one. An identity that is not renewed is used while it is good."""
    ca_is_due = source.settings.ca.source is CASource.PARENT and _ca_is_due(source)
    if not (_identity_is_due(source, own) or ca_is_due):
        return False
    parent = await approach(source)
    try:
        await look_after_identity(own, parent, source)
    except NestorError:
        if not ca_is_due or _identity_of_now(source, own) is None:
            raise
    identity = _identity_of_now(source, own)
    if not ca_is_due or identity is None:
        return False
    try:
        return await look_after_ca(source, keyring, parent, identity)
    except REFUSALS:
        own.refuse(identity)
        raise


def _identity_is_due(source: Source, own: OwnIdentity) -> bool:
    if source.settings.upstream.identity.name is None:
        return False
    held = _identity_of_now(source, own)
    if held is None or source.clock.now() >= renewal_time(held.certificate):
        return True
    return own.is_replaceable(first_credential(source.settings.upstream), source.data)


def _identity_of_now(source: Source, own: OwnIdentity) -> ClientIdentity | None:
    held = own.current()
    return held if held and is_good(held.certificate, source.clock.now()) else None
