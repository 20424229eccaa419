"""The certificate that the EST server shows: issued by its own CA and renewed by itself, or somebody else's.

An issued one is in the ledger like every other. It is shown with the whole chain, root included: the tutorial's
commands take the second certificate as the CA.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from nestor.app.authority import Source
from nestor.app.closed import ClosedAuthority, ClosedLedger
from nestor.app.edge_host import EdgeHost
from nestor.app.fetched import fetched_identity
from nestor.app.identity import (
    FETCHED,
    ISSUED,
    Maker,
    ServerIdentity,
    fits,
    keep,
    kept,
    kept_certificates,
    makeshift,
    names_of,
)
from nestor.app.names import host_of, reserved_names
from nestor.app.own_entry import own_entry
from nestor.ca.authority import LocalAuthority
from nestor.ca.content import Key
from nestor.ca.loading import read_certificates
from nestor.ca.own_server import PROFILE
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import Note
from nestor.keys.file import load_key
from nestor.keys.make import generate
from nestor.model import KeyType
from nestor.ports import Ledger
from nestor.web.settings import ServerCertificateSource

_WHERE = "listener.serverCertificate"


async def given_identity(source: Source, edge: EdgeHost | None) -> ServerIdentity | None:
    """What the settings say to show; None where this server issues it itself. Raises MaterialError, SettingsError."""
    match source.settings.listener.server_certificate.source:
        case ServerCertificateSource.FILE:
            return _from_files(source)
        case ServerCertificateSource.WORKLOAD:
            return await fetched_identity(source, _needed(edge))
        case ServerCertificateSource.ISSUED:
            return None


def last_ca_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The CA certificates that stood above the server's own when it was last issued; none where that is gone too."""
    last = kept(source, ISSUED)
    return last.chain[1:] if last else ()


async def issued_identity(
    source: Source, authority: LocalAuthority | ClosedAuthority, ledger: Ledger | ClosedLedger
) -> ServerIdentity:
    """What this server issues to itself: kept from before, or issued now; else a makeshift. Raises MaterialError."""
    last = kept(source, ISSUED)
    if isinstance(authority, ClosedAuthority):
        return makeshift(last, source)
    above = tuple(authority.chain())
    if last is not None and _still_fits(last, source, above):
        return ServerIdentity((last.certificate, *above), last.key)
    if authority.problem() is not None or isinstance(ledger, ClosedLedger):
        return makeshift(last, source)
    try:
        return await _issue(source, authority, ledger)
    except CannotIssue:  # health says why
        return makeshift(last, source)


def shown_certificates(source: Source) -> tuple[x509.Certificate, ...]:
    """The chain that the server shows, or showed last; none where it never did. Raises MaterialError."""
    settings = source.settings.listener.server_certificate
    if settings.source is ServerCertificateSource.FILE and settings.certificate is not None:
        return read_certificates(settings.certificate.read_bytes(source.data), f"{_WHERE}.certificate")
    return kept_certificates(source, FETCHED if settings.source is ServerCertificateSource.WORKLOAD else ISSUED)


def own_hosts(source: Source, edge: EdgeHost | None = None) -> list[str]:
    """The names that nobody but this server and its parent may serve under (design D3).

    They are those of its settings, of what it shows, of its IoT Edge host, and of the server and the device above.
    """
    shown = shown_certificates(source)
    settings = source.settings
    above = (*host_of(settings.upstream.url), *filter(None, [settings.proxy.parent]))
    given = (*(edge.reserved if edge else ()), *above)
    return reserved_names((*settings.listener.hostnames, *(names_of(shown[0]) if shown else ()), *given))


def _needed(edge: EdgeHost | None) -> EdgeHost:
    if edge is None:
        raise SettingsError(
            f"{_WHERE}.source: workload needs the IoT Edge runtime, and it did not start this server.",
            "Write issued or file, or let IoT Edge run Nestor.",
        )
    return edge


def _from_files(source: Source) -> ServerIdentity:
    settings = source.settings.listener.server_certificate
    if settings.certificate is None or settings.key is None:
        raise SettingsError(f"{_WHERE}: source file needs certificate and key.", "Name both: file:PATH.")
    chain = read_certificates(settings.certificate.read_bytes(source.data), f"{_WHERE}.certificate")
    key = load_key(settings.key.path(source.data), source.passphrase).key
    if not chain or not fits(chain[0], key):
        raise MaterialError(f"{_WHERE}: the key does not belong to the first certificate.")
    return ServerIdentity(chain, key, Maker.OPERATOR)


def _still_fits(last: ServerIdentity, source: Source, above: Sequence[x509.Certificate]) -> bool:
    try:
        last.certificate.verify_directly_issued_by(above[0])
    except (ValueError, TypeError, InvalidSignature):
        return False
    wanted = {name.casefold() for name in source.settings.listener.hostnames}
    return set(names_of(last.certificate)) == wanted and not last.is_due(source.clock.now())


async def _issue(source: Source, authority: LocalAuthority, ledger: Ledger) -> ServerIdentity:
    settings = source.settings.listener
    key = generate(KeyType.EC_P256)
    lifetime = settings.server_certificate.lifetime
    public = Key(key.public_key(), KeyType.EC_P256)
    certificate = await authority.issue_server_certificate(settings.hostnames, public, lifetime)
    entry = own_entry(certificate, PROFILE, source.clock.now())
    await ledger.record(entry, replay=None, one_time=None)
    identity = ServerIdentity((certificate, *authority.chain()), key)
    keep(source, ISSUED, identity)
    told = f"for {', '.join(settings.hostnames)}"
    source.sink(Note("server certificate issued", told, certificate.not_valid_after_utc))
    return identity
