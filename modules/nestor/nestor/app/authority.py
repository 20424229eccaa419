"""The CA of a data directory, found or made: which key, which certificates, and what to do when one of them is gone.

A CA is made only where there is no trace of one. Everything that is wrong later closes issuing and ends nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.app.closed import ClosedAuthority
from nestor.ca.authority import LocalAuthority
from nestor.ca.catalog import Catalog
from nestor.ca.clock_guard import ClockGuard
from nestor.ca.hierarchy import make_root
from nestor.ca.home import CAHome, LostCA
from nestor.ca.issuer import Issuer, load_issuer, read_certificates
from nestor.ca.names import OwnNames
from nestor.ca.settings import CASettings, CASource
from nestor.document import FileReference
from nestor.errors import MaterialError, SettingsError
from nestor.events import Note, Trouble
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
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
    if source.settings.ca.source is CASource.FILE:
        return _from_files(source)
    home = CAHome(source.data)
    found = home.load(lambda: _load(source, _key_path(source.settings.ca, source.data, home)), pinned=pinned)
    return make_ca(source) if found is None else found


def make_ca(source: Source) -> Issuer:
    """Make a root and keep it. Raises MaterialError where there is, or was, one."""
    settings, home = source.settings.ca, CAHome(source.data)
    key = generate(settings.key_type, settings.rsa_bits)
    now = source.clock.now()
    issuer = make_root(key, settings.subject, lifetime=settings.lifetime, now=now, serial=new_serial())
    elsewhere = settings.key.path(source.data) if settings.key else None
    home.keep(issuer, lambda place: save_key(elsewhere or place, key, source.passphrase))
    source.sink(Note("ca made", f"{settings.subject}, SHA-256 {issuer.fingerprint}", issuer.end))
    return issuer


def new_serial() -> int:
    """A positive serial number of 20 octets, 158 bits of it random (RFC 5280, 4.1.2.2)."""
    return 1 << 158 | int.from_bytes(os.urandom(20), "big") >> 2


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
    issuer = load_issuer(certificate[0], (*certificate[1:], *chain), key)
    CAHome(source.data).mark(issuer.fingerprint)
    return issuer


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
