"""The certificate that the EST server shows: issued by its own CA and renewed by itself, or somebody else's from files.

An issued one is in the ledger like every other. It is shown with the whole chain, root included: the tutorial's
commands take the second certificate as the CA.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.app.authority import Source, new_serial
from nestor.app.closed import ClosedAuthority
from nestor.ca.authority import LocalAuthority
from nestor.ca.content import Key
from nestor.ca.hierarchy import make_root
from nestor.ca.loading import read_certificates
from nestor.ca.own_server import PROFILE
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import Note
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.model import Entry, KeyType, Method
from nestor.ports import Ledger
from nestor.web.settings import ServerCertificateSource

_CERTIFICATE = "server-certificate.pem"
_KEY = "server-key.pem"
_RENEWED_AT = 2 / 3
"""The share of its life after which an issued certificate is renewed."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What the server shows: the chain, its own certificate first, and the key; `given` where they are from files.

    A makeshift is what is left to show while no other one can be issued.
    """

    chain: tuple[x509.Certificate, ...]
    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    given: bool = False
    makeshift: bool = False

    @property
    def certificate(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to renew it."""
        begun, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        old = now >= begun + (end - begun) * _RENEWED_AT
        if self.given:
            return old
        # Another one would end with the CA as well; and one that is not valid yet is from a clock that was wrong.
        last = min((above.not_valid_after_utc for above in self.chain[1:]), default=None)
        return self.makeshift or now < begun or (old and end != last)


async def server_identity(
    source: Source, authority: LocalAuthority | ClosedAuthority, ledger: Ledger
) -> ServerIdentity:
    """What to show: from files, kept from before, or issued now; else a makeshift. Raises MaterialError."""
    if source.settings.listener.server_certificate.source is ServerCertificateSource.FILE:
        return _from_files(source)
    above = tuple(authority.ca_certificates())
    kept = _kept(source, above)
    if isinstance(authority, ClosedAuthority):
        return _makeshift(kept, source)
    if kept is not None and _still_fits(kept, source, above):
        return kept
    if authority.problem() is not None:
        return _makeshift(kept, source)
    try:
        return await _issue(source, authority, ledger)
    except CannotIssue:  # health says why
        return _makeshift(kept, source)


def _from_files(source: Source) -> ServerIdentity:
    settings = source.settings.listener.server_certificate
    if settings.certificate is None or settings.key is None:
        raise SettingsError(
            "listener.serverCertificate: source file needs certificate and key.", "Name both: file:PATH."
        )
    chain = read_certificates(settings.certificate.read_bytes(source.data), "listener.serverCertificate.certificate")
    key = load_key(settings.key.path(source.data), source.passphrase).key
    if not chain or _spki(chain[0].public_key()) != _spki(key.public_key()):
        raise MaterialError("listener.serverCertificate: the key does not belong to the first certificate.")
    return ServerIdentity(chain, key, given=True)


def _kept(source: Source, above: Sequence[x509.Certificate]) -> ServerIdentity | None:
    """The one of the last start, with its chain; nothing where it cannot be used, for it is easily replaced."""
    try:
        chain = read_certificates((source.data / _CERTIFICATE).read_bytes(), _CERTIFICATE)
        key = load_key(source.data / _KEY, source.passphrase).key
    except (MaterialError, OSError):
        return None
    if not chain or _spki(chain[0].public_key()) != _spki(key.public_key()):
        return None
    return ServerIdentity((chain[0], *(above if _is_below(chain[0], above) else ())), key)


def _is_below(certificate: x509.Certificate, above: Sequence[x509.Certificate]) -> bool:
    try:
        certificate.verify_directly_issued_by(above[0])
    except (IndexError, ValueError, TypeError, InvalidSignature):
        return False
    return True


def _still_fits(kept: ServerIdentity, source: Source, above: Sequence[x509.Certificate]) -> bool:
    if kept.chain[1:] != tuple(above):
        return False
    names = kept.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    shown = {str(name.value).casefold() for name in names}
    return shown == {name.casefold() for name in source.settings.listener.hostnames} and not kept.is_due(
        source.clock.now()
    )


async def _issue(source: Source, authority: LocalAuthority, ledger: Ledger) -> ServerIdentity:
    settings = source.settings.listener
    key = generate(KeyType.EC_P256)
    lifetime = settings.server_certificate.lifetime
    public = Key(key.public_key(), KeyType.EC_P256)
    certificate = await authority.issue_server_certificate(settings.hostnames, public, lifetime)
    await ledger.record(_entry(certificate, source.clock.now()), replay=None, one_time=None)
    _keep(source, certificate, key)
    told = f"for {', '.join(settings.hostnames)}"
    source.sink(Note("server certificate issued", told, certificate.not_valid_after_utc))
    return ServerIdentity((certificate, *authority.ca_certificates()), key)


def _entry(certificate: x509.Certificate, now: datetime) -> Entry:
    der = certificate.public_bytes(Encoding.DER)
    return Entry(
        serial=certificate.serial_number,
        sha256=hashlib.sha256(der).digest(),
        der=der,
        device="",
        subject=certificate.subject.rfc4514_string(),
        profile=PROFILE,
        label="",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=now,
        method=Method.OPERATOR,
        requester="nestor",
        origin=Method.OPERATOR,
        via=None,
        address="",
        csr_sha256=b"",
        spki_sha256=hashlib.sha256(_spki(certificate.public_key())).digest(),
        request_id="",
    )


def _keep(source: Source, certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> None:
    """Keep both for the next start; a pair that an interruption tore apart is noticed there, and replaced."""
    key_path, path = source.data / _KEY, source.data / _CERTIFICATE
    try:
        key_path.unlink(missing_ok=True)
        save_key(key_path, key, source.passphrase)
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
    except OSError as error:
        raise MaterialError(f"{path} cannot be written: {error.strerror}.", "Check space and mode.") from error


def _makeshift(kept: ServerIdentity | None, source: Source) -> ServerIdentity:
    """What was shown until now, or a certificate that nobody trusts, so that health can be asked."""
    if kept is not None:
        return replace(kept, makeshift=True)
    key = generate(KeyType.EC_P256)
    issuer = make_root(
        key, "CN=Nestor cannot issue", lifetime=timedelta(days=1), now=source.clock.now(), serial=new_serial()
    )
    return ServerIdentity((issuer.certificate,), key, makeshift=True)


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
