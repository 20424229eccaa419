"""The certificate that the EST server shows: issued by its own CA and renewed by itself, or somebody else's from files.

An issued one is in the ledger like every other. It is shown with the whole chain, root included: the tutorial's
commands take the second certificate as the CA.
"""

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
from nestor.app.closed import ClosedAuthority, ClosedLedger
from nestor.app.names import reserved_names
from nestor.app.own_entry import own_entry
from nestor.ca.authority import LocalAuthority
from nestor.ca.content import Key
from nestor.ca.hierarchy import make_root
from nestor.ca.loading import read_certificates
from nestor.ca.own_server import PROFILE
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import Note
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.model import KeyType
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


def given_identity(source: Source) -> ServerIdentity | None:
    """What the settings say to show; None where this server issues it itself. Raises MaterialError, SettingsError."""
    if source.settings.listener.server_certificate.source is ServerCertificateSource.FILE:
        return _from_files(source)
    return None


def last_ca_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The CA certificates that stood above the server's own when it was last issued; none where that is gone too."""
    kept = _kept(source)
    return kept.chain[1:] if kept else ()


async def issued_identity(
    source: Source, authority: LocalAuthority | ClosedAuthority, ledger: Ledger | ClosedLedger
) -> ServerIdentity:
    """What this server issues to itself: kept from before, or issued now; else a makeshift. Raises MaterialError."""
    kept = _kept(source)
    if isinstance(authority, ClosedAuthority):
        return _makeshift(kept, source)
    above = tuple(authority.ca_certificates())
    if kept is not None and _still_fits(kept, source, above):
        return ServerIdentity((kept.certificate, *above), kept.key)
    if authority.problem() is not None or isinstance(ledger, ClosedLedger):
        return _makeshift(kept, source)
    try:
        return await _issue(source, authority, ledger)
    except CannotIssue:  # health says why
        return _makeshift(kept, source)


def shown_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The chain that the server shows, or showed last; none where it never did. Raises MaterialError."""
    settings = source.settings.listener.server_certificate
    if settings.source is ServerCertificateSource.FILE and settings.certificate is not None:
        return read_certificates(settings.certificate.read_bytes(source.data), "listener.serverCertificate.certificate")
    try:
        return read_certificates((source.data / _CERTIFICATE).read_bytes(), _CERTIFICATE)
    except (MaterialError, OSError):
        return ()


def own_hosts(source: Source) -> list[str]:
    """The names that nobody but this server may serve under (design D3): of its settings, and of what it shows."""
    shown = shown_certificates(source)
    return reserved_names((*source.settings.listener.hostnames, *(names_of(shown[0]) if shown else ())))


def names_of(certificate: x509.Certificate) -> list[str]:
    """The alternative names of a server certificate that are one host's: DNS names without wildcards, IP addresses."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    texts = (str(name.value).casefold() for name in names if isinstance(name, x509.DNSName | x509.IPAddress))
    return [text for text in texts if "*" not in text]


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


def _kept(source: Source) -> ServerIdentity | None:
    """The one of the last start; nothing where it cannot be used, for it is easily replaced."""
    try:
        chain = read_certificates((source.data / _CERTIFICATE).read_bytes(), _CERTIFICATE)
        key = load_key(source.data / _KEY, source.passphrase).key
    except (MaterialError, OSError):
        return None
    matches = bool(chain) and _spki(chain[0].public_key()) == _spki(key.public_key())
    return ServerIdentity(chain, key) if matches else None


def _still_fits(kept: ServerIdentity, source: Source, above: Sequence[x509.Certificate]) -> bool:
    try:
        kept.certificate.verify_directly_issued_by(above[0])
    except (ValueError, TypeError, InvalidSignature):
        return False
    wanted = {name.casefold() for name in source.settings.listener.hostnames}
    return set(names_of(kept.certificate)) == wanted and not kept.is_due(source.clock.now())


async def _issue(source: Source, authority: LocalAuthority, ledger: Ledger) -> ServerIdentity:
    settings = source.settings.listener
    key = generate(KeyType.EC_P256)
    lifetime = settings.server_certificate.lifetime
    public = Key(key.public_key(), KeyType.EC_P256)
    certificate = await authority.issue_server_certificate(settings.hostnames, public, lifetime)
    entry = own_entry(certificate, PROFILE, source.clock.now())
    await ledger.record(entry, replay=None, one_time=None)
    identity = ServerIdentity((certificate, *authority.ca_certificates()), key)
    _keep(source, identity)
    told = f"for {', '.join(settings.hostnames)}"
    source.sink(Note("server certificate issued", told, certificate.not_valid_after_utc))
    return identity


def _keep(source: Source, identity: ServerIdentity) -> None:
    """Keep it for the next start; a pair that an interruption tore apart is noticed there, and replaced."""
    key_path, path = source.data / _KEY, source.data / _CERTIFICATE
    try:
        key_path.unlink(missing_ok=True)
        save_key(key_path, identity.key, source.passphrase)
        path.write_bytes(b"".join(link.public_bytes(Encoding.PEM) for link in identity.chain))
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
