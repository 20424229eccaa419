"""The CA of a data directory, found or made: which key, which certificates, and what to do when one of them is gone.

A CA is made only where there is no trace of one. Everything that is wrong later closes issuing and ends nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.closed import ClosedAuthority
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import Catalog
from nestor.ca.clock_guard import ClockGuard, check_plausible
from nestor.ca.hierarchy import make_intermediate, make_root, root_name
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import Issuer
from nestor.ca.layers import Layers
from nestor.ca.loading import chain_of, load_issuer, read_certificates
from nestor.ca.own_names import OwnNames
from nestor.ca.serials import RANDOM_OCTETS, serial_number
from nestor.ca.settings import CASource
from nestor.document import FileReference
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import Note, Trouble
from nestor.keys.file import StoredKey, load_key, save_key
from nestor.keys.make import generate
from nestor.keys.seals import Seals
from nestor.keys.settings import Protection
from nestor.ledger.opening import make_ledger, open_ledger
from nestor.ports import Clock, Sink
from nestor.settings import Settings

_NOT_YET = (
    "The CA of this layer has not been enrolled from its parent yet.",
    "The log says what the parent answers; it is asked again every few seconds.",
)
_ROOT, _ROOT_KEY = "root.pem", "root-key.pem"


@dataclass(frozen=True, slots=True)
class Source:
    """What finding or making a CA takes; `seals` is what had to be asked of the IoT Edge runtime for it."""

    settings: Settings
    data: Path
    clock: Clock
    sink: Sink
    seals: Seals = field(default_factory=Seals)

    @property
    def key_path(self) -> Path:
        """Where the key of the CA is kept."""
        named = self.settings.ca.key
        return named.path(self.data) if named else CAHome(self.data).key_path

    @property
    def passphrase(self) -> str | None:
        """The passphrase of key files, where one is set. Raises MaterialError."""
        reference = self.settings.keys.passphrase
        return None if reference is None else reference.read_text(self.data)

    @property
    def recovery(self) -> str:
        """The recovery passphrase of sealed keys. Raises MaterialError."""
        reference = self.settings.keys.recovery
        if reference is None:
            raise MaterialError("keys.recovery names no recovery passphrase.", "Name its place: env:NAME or file:PATH.")
        return reference.read_text(self.data)


def find_issuer(source: Source, pinned: str | None) -> Issuer | LostCA:
    """The CA to issue with, made where there never was one, once the clock is right.

    Raises MaterialError or SettingsError for a CA from files that cannot be used.
    """
    if source.settings.ca.source is CASource.FILE:
        return _from_files(source, pinned)
    home = CAHome(source.data)
    found = home.load(lambda: load_ca_key(source), pinned=pinned)
    if found is not None:
        return found
    if source.settings.ca.source is CASource.PARENT:
        return LostCA(CannotIssue(*_NOT_YET), ())
    try:
        return make_ca(source)
    except CannotIssue as reason:
        return LostCA(reason, ())


def existing_issuer(source: Source, pinned: str | None = None) -> Issuer:
    """The CA that is there. Raises MaterialError where there is none, or it cannot be used."""
    check_made(source)
    found = find_issuer(source, pinned)
    if isinstance(found, LostCA):
        raise found.reason
    return found


def check_made(source: Source) -> None:
    """Raise MaterialError where there is no trace of a CA yet, and none from files."""
    settings = source.settings.ca
    if settings.source is not CASource.FILE and not CAHome(source.data).was_made:
        enrolled = settings.source is CASource.PARENT
        hint = "nestor serve enrolls it from its parent." if enrolled else "Make one: nestor ca init."
        raise MaterialError(f"There is no CA in {source.data} yet.", hint)


def ca_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The CA that is there, without its key; its root last. Raises MaterialError or SettingsError."""
    check_made(source)
    if source.settings.ca.source is CASource.FILE:
        certificate, *others = _file_certificates(source)
        return (certificate, *chain_of(certificate, others))
    return CAHome(source.data).certificates()


def make_ca(source: Source) -> Issuer:
    """Make a root and keep it.

    Raises MaterialError where there is, or was, one, CannotIssue while the clock is not set, or nobody seals its key.
    """
    settings = source.settings.ca
    source.seals.check_new()
    issuer = _new_root(source, generate(settings.key_type, settings.rsa_bits))
    return _kept(source, issuer)


def make_ca_below(source: Source, offline_root: Path, subject: str, lifetime: timedelta) -> tuple[Issuer, Issuer]:
    """Make a root whose key goes to `offline_root`, and below it the CA that issues here. Answers root and issuer.

    Raises MaterialError where there is, or was, a CA, or the root's files are there already.
    """
    settings = source.settings.ca
    if CAHome(source.data).was_made:
        raise MaterialError(f"There is, or was, a CA in {source.data} already.", "Use another data directory.")
    source.seals.check_new()
    root = _new_root(source, generate(settings.key_type, settings.rsa_bits))
    key = generate(settings.key_type, settings.rsa_bits)
    issuer = make_intermediate(root, key, subject, lifetime=lifetime, now=_begin(source.clock), serial=new_serial())
    _put_aside(root, offline_root, source.passphrase)
    return root, _kept(source, issuer)


def _new_root(source: Source, key: CertificateIssuerPrivateKeyTypes) -> Issuer:
    settings = source.settings.ca
    name = root_name(settings.subject, source.settings.upstream.identity.name)
    return make_root(key, name, lifetime=settings.lifetime, now=_begin(source.clock), serial=new_serial())


def _begin(clock: Clock) -> datetime:
    """When a CA begins: never by a clock that was not set, as at the boot of a host without a battery."""
    now = clock.now()
    check_plausible(now)
    return now


def _kept(source: Source, issuer: Issuer) -> Issuer:
    reference = source.settings.ca.key
    elsewhere = reference.path(source.data) if reference else None
    make_ledger(source.data)  # first: a CA without its ledger would count as one that lost it
    CAHome(source.data).keep(issuer, lambda place: source.seals.save(elsewhere or place, issuer.key, source.passphrase))
    name = issuer.certificate.subject.rfc4514_string()
    source.sink(Note("ca made", f"{name}, SHA-256 {issuer.fingerprint}", issuer.end))
    return issuer


def _put_aside(root: Issuer, place: Path, passphrase: str | None) -> None:
    """Write an offline root: its key and its certificate, to be carried away."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_key(place / _ROOT_KEY, root.key, passphrase)
        (place / _ROOT).write_bytes(root.certificate.public_bytes(Encoding.PEM))
    except OSError as error:
        raise MaterialError(
            f"The root cannot be kept in {place}: {error.strerror}.", "Check space and mode."
        ) from error


def load_offline_root(source: Source, place: Path) -> Issuer:
    """The root that was put aside, for what only its key can do. Raises MaterialError."""
    try:
        pem = (place / _ROOT).read_bytes()
    except OSError as error:
        hint = "Name the directory that ca init --offline-root filled."
        raise MaterialError(f"{place / _ROOT} cannot be read: {error.strerror}.", hint) from error
    certificates = read_certificates(pem, str(place / _ROOT))
    return load_issuer(
        certificates[0], certificates[1:], _heard(source, load_key(place / _ROOT_KEY, source.passphrase))
    )


def new_serial() -> int:
    """A serial number nobody could guess (RFC 5280, 4.1.2.2)."""
    return serial_number(os.urandom(RANDOM_OCTETS))


def open_authority(
    found: Issuer | LostCA,
    catalog: Catalog,
    guard: ClockGuard,
    own: OwnNames,
    *,
    layers: Layers,
    last: Sequence[x509.Certificate],
) -> LocalAuthority | ClosedAuthority:
    """The Authority of a CA: one that signs, or one that says why it cannot; it shows `last` where all else is gone."""
    if isinstance(found, LostCA):
        return ClosedAuthority(found.reason, found.certificates or last)
    return LocalAuthority(found, catalog, guard, own=own, layers=layers, make_key=generate)


async def accept_ca(source: Source) -> Issuer:
    """Take the CA from files for the one of this data directory from now on. Raises MaterialError, SettingsError."""
    if source.settings.ca.source is not CASource.FILE:
        raise SettingsError(
            "ca.source: only a CA from files is ever another one.", "Set it to file, or restore the CA."
        )
    issuer = _load_files(source)
    ledger = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock)
    try:
        await ledger.pin_authority(issuer.fingerprint)
    finally:
        await ledger.close()
    CAHome(source.data).mark(issuer.fingerprint)
    return issuer


def _from_files(source: Source, pinned: str | None) -> Issuer | LostCA:
    try:
        issuer = _load_files(source)
    except CannotIssue as reason:
        return LostCA(reason, ca_certificates(source))
    if pinned in {None, issuer.fingerprint}:
        return issuer
    sentence = "The CA in ca.certificate is not the one whose certificates the ledger holds."
    return LostCA(
        MaterialError(sentence, "Put that one back; or, where another is meant, say so: nestor ca accept."), ()
    )


def _load_files(source: Source) -> Issuer:
    settings = source.settings.ca
    certificate, *others = _file_certificates(source)
    if settings.key is None:
        raise SettingsError("ca.key: a CA from files needs its key.", "Name it: file:PATH.")
    return load_issuer(certificate, others, load_ca_key(source))


def _file_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The CA's certificate, then what else there is, in whatever order."""
    settings = source.settings.ca
    certificate = _read(source, settings.certificate, "ca.certificate")
    return (*certificate, *(_read(source, settings.chain, "ca.chain") if settings.chain else ()))


def _read(source: Source, reference: FileReference | None, where: str) -> tuple[x509.Certificate, ...]:
    if reference is None:
        raise SettingsError(f"{where}: a CA from files needs its certificate.", "Name it: file:PATH.")
    certificates = read_certificates(reference.read_bytes(source.data), where)
    if not certificates:
        raise MaterialError(f"{where}: {reference} holds no certificate.", "It has to be PEM.")
    return certificates


def load_ca_key(source: Source) -> CertificateIssuerPrivateKeyTypes:
    """The key of the CA. Raises MaterialError for one that is no good, CannotIssue for one that nobody opens now."""
    stored = source.seals.load(source.key_path, source.passphrase)
    if stored.sealed is not (source.settings.keys.protection is Protection.SEALED):
        how = ("sealed", "file", "unseal") if stored.sealed else ("not sealed", "sealed", "seal")
        told = f"The CA key {source.key_path} is {how[0]}, although keys.protection is {how[1]}: nestor ca {how[2]}"
        source.sink(Trouble("key file", told))
    return _heard(source, stored)


def _heard(source: Source, stored: StoredKey) -> CertificateIssuerPrivateKeyTypes:
    """A key, once its warnings have been told."""
    for warning in stored.warnings:
        source.sink(Trouble("key file", warning))
    return stored.key
