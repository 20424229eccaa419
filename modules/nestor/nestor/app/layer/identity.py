"""The client certificate by which the server above knows this one: got once by another credential, then by itself.

It is kept with its key in one file that appears whole, so that no moment shows one without the other. Each certificate
has a key of its own.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.authority import Source
from nestor.app.identity import fits
from nestor.app.layer.approach import Approach, composing, first_credential
from nestor.ca.loading import read_certificates
from nestor.document import Reference
from nestor.errors import Forbidden, MaterialError, NestorError, Unauthenticated, Unavailable, UnknownPath
from nestor.est.endings import hinted
from nestor.events import Note
from nestor.keys.file import load_key, pem_of, write_whole
from nestor.keys.make import generate
from nestor.model import KeyType
from nestor.naming import common_name_of, fold
from nestor.upstream.client import ESTClient
from nestor.upstream.enrollment import request_own
from nestor.upstream.faults import BadAnswer
from nestor.upstream.identity import Badge, ClientIdentity
from nestor.upstream.lifetimes import is_good, renewal_time
from nestor.upstream.settings import Reenrollment
from nestor.upstream.wish import est_identity, identity, renewal

FILE = "upstream-identity.pem"
"""In the data directory: the key, then its certificate."""

REFUSALS = (Unauthenticated, Forbidden)
"""What a server above says to a certificate that it does not take, or to a wish that it does not grant."""

_BY_LABEL = "Here, upstream.identity.label says which path above gives it: one for the profile forwarder, to forward."


class OwnIdentity:
    """The client certificate of this server, and how it is kept; `current` is what to show, by the `badge`.

    `fault` is why the last look did not bring what was due.
    """

    def __init__(self, data: Path, passphrase: Callable[[], str | None]) -> None:
        self._place = data / FILE
        self._passphrase = passphrase
        self._seen: tuple[int, int, int] | None = None
        self._held: ClientIdentity | None = None
        self._refused: ClientIdentity | None = None
        self._at_start = self._looks()
        self.badge = Badge(self.current, self._missing)
        self.fault: NestorError | None = None

    def current(self) -> ClientIdentity | None:
        """The one to show at this moment: the same value until the file is another one; None where none can be used."""
        looks = self._looks()
        if looks != self._seen:
            self._seen, self._held = looks, None if looks is None else self._read()
        return self._held

    def refuse(self, shown: ClientIdentity) -> None:
        """Hear that the server above did not give its holder what was asked for."""
        self._refused = shown

    def is_replaceable(self, first: Sequence[Reference], data: Path) -> bool:
        """Whether it is refused above, and the operator has brought another credential since to get a new one by.

        A file is another one since it came here, whatever date it brought along; a variable, since the start.
        """
        held = self.current()
        if held is None or (held is not self._refused and self.badge.refusal is None):
            return False
        files = [one.path(data) for one in first if one.kind == "file"]
        try:
            got = self._place.stat().st_ctime_ns
            return any(file.stat().st_ctime_ns > got for file in files) or (
                len(files) < len(first) and self._looks() == self._at_start
            )
        except OSError:
            return False

    def keep(self, fresh: ClientIdentity) -> None:
        """Show this one from now on, and after the next start. Raises MaterialError."""
        chain = (fresh.certificate, *fresh.chain)
        content = pem_of(fresh.key, self._passphrase()) + b"".join(link.public_bytes(Encoding.PEM) for link in chain)
        try:
            write_whole(self._place, content)
        except OSError as error:
            raise MaterialError(
                f"{self._place} cannot be written: {error.strerror}.", "Check space and mode."
            ) from error

    def _missing(self) -> NestorError | None:
        if self.current() is not None:
            return None
        return self.fault or Unavailable("It is asked for at this moment.")

    def _read(self) -> ClientIdentity | None:
        try:
            chain = read_certificates(self._place.read_bytes(), FILE)
            key = load_key(self._place, self._passphrase()).key
        except (OSError, MaterialError):
            return None
        return ClientIdentity(chain[0], key, tuple(chain[1:])) if chain and fits(chain[0], key) else None

    def _looks(self) -> tuple[int, int, int] | None:
        try:
            found = self._place.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


async def look_after_identity(own: OwnIdentity, approach: Approach, source: Source) -> None:
    """Enroll or renew the client certificate of this server, where that is due.

    Raises NestorError where it cannot be had, or not renewed; one that is still good is shown all the same.
    """
    name = source.settings.upstream.identity.name
    if name is None:
        return
    now, held = source.clock.now(), own.current()
    replaceable = own.is_replaceable(first_credential(source.settings.upstream), source.data)
    if held is None or replaceable or not is_good(held.certificate, now) or not _is_for(held.certificate, name):
        fresh = await _enrolled(approach, name)
    elif now >= renewal_time(held.certificate):
        fresh = await _renewed(approach, own, held)
    else:
        return
    if not is_good(fresh.certificate, source.clock.now()):
        raise BadAnswer(f"{approach.server} gave a client certificate that is not valid at this time.", "Check clocks.")
    if not _is_for(fresh.certificate, name):
        raise BadAnswer(
            f"{approach.server} gave a client certificate for {common_name_of(fresh.certificate.subject) or 'nobody'}, "
            f"and not for {name}.",
            "Its operator lets names be as they are asked for, or upstream.identity.name is the name that it gives.",
        )
    own.keep(fresh)
    source.sink(Note("upstream identity", f"{name}, known to {approach.server}", fresh.certificate.not_valid_after_utc))


async def _enrolled(approach: Approach, name: str) -> ClientIdentity:
    """The first one, or the first after one has expired."""
    key = generate(KeyType.EC_P256)
    connect = approach.by_first_credential(approach.settings.identity.label)
    compose = composing(key, est_identity(identity(name)))
    try:
        return _made(await request_own(connect, compose, ESTClient.enroll), key)
    except (Forbidden, UnknownPath) as refusal:
        raise type(refusal)(hinted(refusal.sentence, _BY_LABEL)) from refusal


async def _renewed(approach: Approach, own: OwnIdentity, held: ClientIdentity) -> ClientIdentity:
    """The next one, asked for by the one that it follows (RFC 7030, 3.3.2)."""
    key = generate(KeyType.EC_P256)
    connect = approach.by(held, approach.settings.identity.label)
    compose = composing(key, est_identity(renewal(held.certificate)), keep_names=True)
    as_new = approach.settings.reenroll_as is Reenrollment.ENROLL
    try:
        certificate = await request_own(connect, compose, ESTClient.enroll if as_new else ESTClient.reenroll)
    except REFUSALS:
        own.refuse(held)
        raise
    return _made(certificate, key)


def _made(certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> ClientIdentity:
    return ClientIdentity(certificate, key)


def _is_for(certificate: x509.Certificate, name: str) -> bool:
    return fold(common_name_of(certificate.subject)) == fold(name)
