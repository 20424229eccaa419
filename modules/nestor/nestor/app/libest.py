"""A data directory from the estCA folder of a libest server: its CA, what it issued, what it revoked, whom it trusted.

Devices trust that CA and hold its certificates; with both here they go on as before. The new directory appears whole.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.access.adoption import adopted_entry
from nestor.access.certificates import is_ca, is_issued_by
from nestor.app.authority import Source
from nestor.app.replacing import carry_out, new_state
from nestor.backup.archive import DATA
from nestor.backup.landing import Move
from nestor.ca.foreign import check_digest, suitable_profile
from nestor.ca.home import CAHome
from nestor.ca.issuer import Issuer
from nestor.ca.loading import load_issuer, read_certificates
from nestor.ca.settings import CASource
from nestor.errors import Forbidden, MaterialError, NestorError, SettingsError
from nestor.keys.file import load_key
from nestor.ledger.opening import FILE as LEDGER
from nestor.ledger.opening import make_ledger, open_ledger
from nestor.ledger.openssl import COPIES, Line, read_copy, read_index
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, Method

REQUESTER = "libest"
"""Who asked for the certificates that libest issued, as far as its folder tells."""

ANCHORS = "libest-anchors.pem"
"""Where the other CAs go whose clients libest let in."""

_CERTIFICATE = "cacert.crt"
_KEY = Path("private") / "cakey.pem"
_TRUSTED = (Path("multicacerts.crt"), Path("..") / "trustedcerts.crt")
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be imported; `passphrase` is that of libest's key file.

    `origin` is how devices first got in, which libest did not write down: only by such a credential are they let in
    anew while they hold a certificate.
    """

    folder: Path
    source: Source
    passphrase: str | None
    origin: Method


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A certificate of the index that was not taken over, and why."""

    line: Line
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What there is now; `anchors` are the names of other CAs whose clients libest let in."""

    issuer: Issuer
    entries: Sequence[Entry]
    left_out: Sequence[LeftOut]
    anchors: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """One line of the index, and the entry that it becomes."""

    line: Line
    entry: Entry


async def import_libest(wish: Wish) -> Imported:
    """Make a data directory of an estCA folder. Raises MaterialError or SettingsError, and makes none then."""
    source = wish.source
    _check_settings(source)
    source.seals.check_new()
    issuer = _issuer(wish)
    found, left_out = _sort(wish, issuer)
    anchors = _other_cas(wish.folder, issuer)
    with new_state(source.data, "nestor ca import") as landing:
        _check_empty(source.data)
        data = landing.new / DATA
        make_ledger(data)
        await _fill(data, source, issuer, found)
        CAHome(data).keep(issuer, lambda place: source.seals.save(place, issuer.key, source.passphrase))
        if anchors:
            (data / ANCHORS).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in anchors))
        names = sorted(path.name for path in data.iterdir() if path.name != REVOCATIONS)
        landing.decide([Move(f"{DATA}/{name}", name) for name in names], "replaced")
        carry_out(source.data)
    entries = [one.entry for one in found]
    return Imported(issuer, entries, left_out, [one.subject.rfc4514_string() for one in anchors])


def _check_settings(source: Source) -> None:
    if source.settings.ca.source is not CASource.ROOT or source.settings.ca.key is not None:
        raise SettingsError(
            "ca: an import keeps the CA in the data directory.", "Leave ca.source, ca.key and the like out for it."
        )


def _check_empty(data: Path) -> None:
    if CAHome(data).was_made or any((data / name).exists() for name in (LEDGER, REVOCATIONS)):
        raise MaterialError(f"There is, or was, a CA in {data} already.", "Use another data directory.")


def _issuer(wish: Wish) -> Issuer:
    place = wish.folder / _CERTIFICATE
    try:
        certificate, *others = read_certificates(place.read_bytes(), str(place))
    except OSError as error:
        hint = "Name the estCA folder of a libest server."
        raise MaterialError(f"{place} cannot be read: {error.strerror}.", hint) from error
    check_digest(certificate, "The CA certificate is")
    key = load_key(wish.folder / _KEY, wish.passphrase).key
    issuer = load_issuer(certificate, (*others, *_trusted(wish.folder)), key)
    problem = issuer.problem(wish.source.clock.now())
    if problem is not None:
        raise MaterialError(problem, "It cannot be moved: make a new CA, and bring it to the devices.")
    return issuer


def _trusted(folder: Path) -> Iterator[x509.Certificate]:
    """Every CA in the files by which libest knows clients."""
    for name in _TRUSTED:
        place = folder / name
        if place.exists():
            yield from read_certificates(place.read_bytes(), str(place))


def _other_cas(folder: Path, issuer: Issuer) -> Sequence[x509.Certificate]:
    """The CAs that libest believed beside its own, each once."""
    own = set(issuer.certificates)
    return [one for one in dict.fromkeys(_trusted(folder)) if one not in own and is_ca(one)]


def _sort(wish: Wish, issuer: Issuer) -> tuple[Sequence[_Found], Sequence[LeftOut]]:
    found, left_out = [], []
    for line in read_index(wish.folder):
        try:
            found.append(_Found(line, _entry(wish, issuer, line)))
        except NestorError as reason:
            left_out.append(LeftOut(line, reason.sentence))
    return found, left_out


def _entry(wish: Wish, issuer: Issuer, line: Line) -> Entry:
    """What the ledger is to know of a line. Raises Forbidden for what it should not."""
    certificate = read_copy(wish.folder, line.serial)
    if certificate is None or certificate.serial_number != line.serial:
        raise Forbidden(f"Its copy is not in {COPIES}.")
    profile = suitable_profile(certificate)
    if not is_issued_by(certificate, issuer.certificate):
        raise Forbidden("Its copy was not signed by this CA.")
    return adopted_entry(
        certificate,
        profile=profile,
        origin=wish.origin,
        requester=REQUESTER,
        address="",
        now=wish.source.clock.now(),
    )


async def _fill(data: Path, source: Source, issuer: Issuer, found: Sequence[_Found]) -> None:
    """Write the ledger: what was issued, what was revoked, and by whom."""
    ledger = open_ledger(source.settings.ledger, data, create=False, clock=source.clock)
    try:
        await ledger.pin_authority(issuer.fingerprint)
        for start in range(0, len(found), _AT_ONCE):
            await asyncio.gather(*(ledger.adopt(one.entry) for one in found[start : start + _AT_ONCE]))
        await _revoke(ledger, found)
    finally:
        await ledger.close()


async def _revoke(ledger: SQLiteLedger, found: Sequence[_Found]) -> None:
    for one in found:
        if one.line.revoked_at is not None:
            await ledger.revoke(one.entry.sha256, one.line.reason or "revoked by libest", one.line.revoked_at)
