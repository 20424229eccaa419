"""The CA of a data directory, found or made: which key, which certificates, and what to do when one of them is gone.

A CA is made only where there is no trace of one. Everything that is wrong later closes issuing and ends nothing.
"""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.closed import ClosedAuthority
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import Catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.hierarchy import make_intermediate, make_root
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import Issuer
from nestor.ca.loading import load_issuer, read_certificates
from nestor.ca.own_names import OwnNames
from nestor.ca.serials import RANDOM_OCTETS, serial_number
from nestor.ca.settings import CASettings, CASource
from nestor.document import FileReference
from nestor.errors import MaterialError, SettingsError
from nestor.events import Note, Trouble
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.ledger.opening import make_ledger
from nestor.ports import Clock, Sink
from nestor.settings import Settings


@dataclass(frozen=True, slots=True)
class Source:
    """What finding or making a CA takes."""

    settings: Settings
    data: Path
    clock: Clock
    sink: Sink

    @property
    def passphrase(self) -> str | None:
        """The passphrase of key files, where one is set. Raises MaterialError."""
        reference = self.settings.keys.passphrase
        return None if reference is None else reference.read_text(self.data)


def find_issuer(source: Source, pinned: str | None) -> Issuer | LostCA:
    """The CA to issue with. Raises MaterialError or SettingsError for a CA from files that cannot be used."""
    home = CAHome(source.data)
    if source.settings.ca.source is CASource.FILE:
        issuer = _from_files(source)
        home.mark(issuer.fingerprint)
        return issuer
    found = home.load(lambda: _load(source, _key_path(source.settings.ca, source.data, home)), pinned=pinned)
    return make_ca(source) if found is None else found


def existing_issuer(source: Source) -> Issuer:
    """The CA that is there. Raises MaterialError where there is none, or it cannot be used."""
    if source.settings.ca.source is CASource.FILE:
        return _from_files(source)  # looking at it is no use of it: only a server leaves the mark
    if not CAHome(source.data).was_made:
        raise MaterialError(f"There is no CA in {source.data} yet.", "Make one: nestor ca init.")
    found = find_issuer(source, pinned=None)
    if isinstance(found, LostCA):
        raise found.reason
    return found


def ca_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The CA certificate, then those above it, without a look at the key. Raises MaterialError."""
    settings = source.settings.ca
    if settings.source is CASource.FILE:
        return _read(source, settings.certificate, "ca.certificate")
    return CAHome(source.data).certificates()


def make_ca(source: Source) -> Issuer:
    """Make a root and keep it. Raises MaterialError where there is, or was, one."""
    settings = source.settings.ca
    issuer = _new_root(source, generate(settings.key_type, settings.rsa_bits))
    return _kept(source, issuer)


def make_ca_below(source: Source, offline_root: Path, subject: str, lifetime: timedelta) -> tuple[Issuer, Issuer]:
    """Make a root whose key goes to `offline_root`, and below it the CA that issues here. Answers root and issuer.

    Raises MaterialError where there is, or was, a CA, or the root's files are there already.
    """
    settings = source.settings.ca
    if CAHome(source.data).was_made:
        raise MaterialError(f"There is, or was, a CA in {source.data} already.", "Use another data directory.")
    root = _new_root(source, generate(settings.key_type, settings.rsa_bits))
    key = generate(settings.key_type, settings.rsa_bits)
    issuer = make_intermediate(root, key, subject, lifetime=lifetime, now=source.clock.now(), serial=new_serial())
    _put_aside(root, offline_root, source.passphrase)
    return root, _kept(source, issuer)


def _new_root(source: Source, key: CertificateIssuerPrivateKeyTypes) -> Issuer:
    settings = source.settings.ca
    return make_root(key, settings.subject, lifetime=settings.lifetime, now=source.clock.now(), serial=new_serial())


def _kept(source: Source, issuer: Issuer) -> Issuer:
    reference = source.settings.ca.key
    elsewhere = reference.path(source.data) if reference else None
    make_ledger(source.data)  # first: a CA without its ledger would count as one that lost it
    CAHome(source.data).keep(issuer, lambda place: save_key(elsewhere or place, issuer.key, source.passphrase))
    name = issuer.certificate.subject.rfc4514_string()
    source.sink(Note("ca made", f"{name}, SHA-256 {issuer.fingerprint}", issuer.end))
    return issuer


def _put_aside(root: Issuer, place: Path, passphrase: str | None) -> None:
    """Write an offline root: its key and its certificate, to be carried away."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_key(place / "root-key.pem", root.key, passphrase)
        (place / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    except OSError as error:
        raise MaterialError(
            f"The root cannot be kept in {place}: {error.strerror}.", "Check space and mode."
        ) from error


def new_serial() -> int:
    """A serial number nobody could guess (RFC 5280, 4.1.2.2)."""
    return serial_number(os.urandom(RANDOM_OCTETS))


def open_authority(
    found: Issuer | LostCA, catalog: Catalog, guard: ClockGuard, own: OwnNames
) -> LocalAuthority | ClosedAuthority:
    """The Authority of a CA: one that signs, or one that says why it cannot."""
    if isinstance(found, LostCA):
        return ClosedAuthority(found.reason, found.certificates)
    return LocalAuthority(found, catalog, guard, own=own, make_key=generate)


def _from_files(source: Source) -> Issuer:
    settings = source.settings.ca
    certificate = _read(source, settings.certificate, "ca.certificate")
    chain = _read(source, settings.chain, "ca.chain") if settings.chain else ()
    if settings.key is None:
        raise SettingsError("ca.key: a CA from files needs its key.", "Name it: file:PATH.")
    key = _load(source, settings.key.path(source.data))
    return load_issuer(certificate[0], (*certificate[1:], *chain), key)


def _read(source: Source, reference: FileReference | None, where: str) -> tuple[x509.Certificate, ...]:
    if reference is None:
        raise SettingsError(f"{where}: a CA from files needs its certificate.", "Name it: file:PATH.")
    certificates = read_certificates(reference.read_bytes(source.data), where)
    if not certificates:
        raise MaterialError(f"{where}: {reference} holds no certificate.", "It has to be PEM.")
    return certificates


def _key_path(settings: CASettings, data: Path, home: CAHome) -> Path:
    return settings.key.path(data) if settings.key else home.key_path


def _load(source: Source, path: Path) -> CertificateIssuerPrivateKeyTypes:
    stored = load_key(path, source.passphrase)
    for warning in stored.warnings:
        source.sink(Trouble("key file", warning))
    return stored.key
