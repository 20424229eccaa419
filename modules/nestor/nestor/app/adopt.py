"""An operator's words about certificates that the ledger does not know: open, end, list; or take in those at hand."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from nestor.access.adopting import origin_of
from nestor.access.adoption import adopted_entry, denied_names, device_of, is_open, look_at, name_of
from nestor.access.certificates import sha256_of
from nestor.access.own import Kinship, kinship
from nestor.adoption import Adoption
from nestor.app.authority import Source, ca_certificates
from nestor.app.replacing import check_not_interrupted
from nestor.ca.catalog import Catalog, build_catalog
from nestor.ca.issuer import constraints_of, fingerprint_of
from nestor.ca.loading import read_certificates
from nestor.errors import Forbidden, MaterialError, NestorError, SettingsError
from nestor.ledger.opening import FILE, make_ledger, open_ledger
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import read_revocations
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry
from nestor.naming import issuer_id

LONGEST = timedelta(days=366)
"""How long a word may be good: a device that was off for longer enrolls anew."""

BY_HAND = "ledger adopt"
"""Who asked for what was taken in by hand."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The word that an operator wants to give; `denied` as they write it."""

    since: datetime
    until: datetime | None
    good_for: timedelta
    profile: str | None = None
    denied: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one certificate at hand: its entry, or why there is none."""

    subject: str
    entry: Entry | None
    why: str = ""


async def open_word(source: Source, wish: Wish) -> Adoption:
    """Give a word about unknown certificates. Raises SettingsError for one without good bounds."""
    now = source.clock.now()
    until = now if wish.until is None else wish.until
    _check_bounds(wish, until, now)
    _check_profile(build_catalog(source.settings.profiles), wish.profile)
    async with _ledger(source) as ledger:
        word = Adoption(now, wish.since, until, now + wish.good_for, wish.profile, _denied(wish.denied))
        number = await ledger.open_adoption(word)
        return next(word for word in await ledger.adoptions() if word.id == number)


async def start_over(source: Source) -> None:
    """Make an empty ledger in place of one that is lost for good: it knows what it is told from now on, and no more.

    Raises MaterialError where there is a ledger, or the CA that it would belong to cannot be told.
    """
    check_not_interrupted(source.data)
    place, fingerprint = source.data / FILE, fingerprint_of(ca_certificates(source)[0])
    if place.exists():
        raise MaterialError(f"The ledger {place} is there.", "Move it away, if it is of no use any more.")
    make_ledger(source.data, in_place_of_a_lost_one=True)
    seen = [line.at for line in read_revocations(source.data / REVOCATIONS)]
    async with _ledger(source) as ledger:
        await ledger.pin_authority(fingerprint)
        await ledger.raise_clock_floor(max([source.clock.now(), *seen]))


async def deny(source: Source, names: Sequence[str]) -> None:
    """Forbid for good that these are adopted, whatever is allowed beside."""
    now = source.clock.now()
    async with _ledger(source) as ledger:
        await ledger.open_adoption(Adoption(now, now, now, now, denied=_denied(names)))


async def end_words(source: Source) -> int:
    """End every word that is good now; how many there were."""
    async with _ledger(source) as ledger:
        return await ledger.end_adoptions(source.clock.now())


async def all_words(source: Source) -> Sequence[tuple[Adoption, int, bool]]:
    """Every word that was given, how many certificates came by it, and whether it is good now."""
    now = source.clock.now()
    async with _ledger(source) as ledger:
        counted = (await ledger.counters()).adopted
        return [(word, counted.get(name_of(word), 0), is_open(word, now)) for word in await ledger.adoptions()]


async def adopt_at_hand(source: Source, files: Iterable[Path], profile: str | None) -> Sequence[Fate]:
    """Take in the certificates of PEM files. Raises MaterialError for a file that holds none."""
    catalog = build_catalog(source.settings.profiles)
    _check_profile(catalog, profile)
    certificates = [one for file in files for one in _read(file)]
    async with _ledger(source) as ledger:
        issuer = await _issuer(source, ledger)
        return [await _fate(one, issuer, ledger, catalog, profile, source.clock.now()) for one in certificates]


async def _fate(  # noqa: PLR0917 -- what it is, whose it is, where it goes, what it becomes, when
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    ledger: SQLiteLedger,
    catalog: Catalog,
    profile: str | None,
    now: datetime,
) -> Fate:
    subject = certificate.subject.rfc4514_string()
    try:
        if kinship(certificate, (), [issuer]) is not Kinship.OURS:
            raise Forbidden("It was not signed by this CA itself.")
        if await ledger.find(sha256_of(certificate)) is not None:
            raise Forbidden("The ledger knows it already.")
        revoked = await ledger.was_revoked(sha256_of(certificate), certificate.serial_number, issuer_id(certificate))
        look_at(certificate, await ledger.adoptions(), revoked=revoked, now=now)
        entry = adopted_entry(
            certificate,
            profile=_profile_of(certificate, catalog, profile),
            origin=await origin_of(ledger, device_of(certificate), now),
            requester=BY_HAND,
            address="",
            now=now,
        )
        return Fate(subject, await ledger.adopt(entry))
    except NestorError as reason:
        return Fate(subject, None, reason.text)


def _profile_of(certificate: x509.Certificate, catalog: Catalog, profile: str | None) -> str:
    if profile is None:
        return catalog.recognize(certificate).name
    if constraints_of(certificate).ca != catalog.traits(profile).ca:
        raise Forbidden(f"It cannot be of the profile {profile}: only one of the two is a CA.")
    return profile


async def _issuer(source: Source, ledger: SQLiteLedger) -> x509.Certificate:
    certificate = ca_certificates(source)[0]
    if await ledger.pinned_authority() not in {None, fingerprint_of(certificate)}:
        raise MaterialError(f"The ledger in {source.data} belongs to another CA.", "Restore the two together.")
    return certificate


def _denied(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for text in names for name in denied_names(text))


def _check_bounds(wish: Wish, until: datetime, now: datetime) -> None:
    if until > now:
        raise SettingsError("--until: it lies in the future.", "What is issued from now on is in the ledger anyway.")
    if wish.since >= until:
        raise SettingsError("--since: it is not before --until.", "--since is when the ledger stopped knowing.")
    if wish.good_for > LONGEST:
        raise SettingsError(f"--for: a word is good for {LONGEST.days}d at most.")


def _check_profile(catalog: Catalog, profile: str | None) -> None:
    if profile is not None and profile not in catalog.names():
        raise SettingsError(f"--profile: there is no profile {profile}.", f"There are {', '.join(catalog.names())}.")


def _read(file: Path) -> Sequence[x509.Certificate]:
    try:
        return read_certificates(file.read_bytes(), str(file))
    except OSError as error:
        raise MaterialError(f"{file} cannot be read: {error.strerror}.", "Check path and mode.") from error


@asynccontextmanager
async def _ledger(source: Source) -> AsyncIterator[SQLiteLedger]:
    check_not_interrupted(source.data)
    ledger = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock)
    try:
        yield ledger
    finally:
        await ledger.close()
