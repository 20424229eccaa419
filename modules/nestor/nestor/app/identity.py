"""What the server shows in TLS, whoever made it; and how it is kept in the data directory for the next start.

A pair that an interruption tore apart is noticed at the next start, and replaced.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.access.certificates import spki_of
from nestor.app.authority import Source, new_serial
from nestor.ca.hierarchy import make_root
from nestor.ca.loading import read_certificates
from nestor.errors import MaterialError
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.model import KeyType

_RENEWED_AT = 2 / 3
"""The share of its life after which a certificate is renewed."""


class Maker(Enum):
    """Who made a server certificate, and so who renews it."""

    NESTOR = auto()
    OPERATOR = auto()
    RUNTIME = auto()


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What the server shows: the chain, its own certificate first, and the key.

    A makeshift is what is left to show while no other one can be had.
    """

    chain: tuple[x509.Certificate, ...]
    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    maker: Maker = Maker.NESTOR
    makeshift: bool = False

    @property
    def certificate(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    def problem(self) -> str | None:
        """Why devices cannot trust it; None where they can, or where it is the CA's doing, which says so itself."""
        if self.makeshift and self.maker is Maker.RUNTIME:
            return "Nobody trusts the server certificate: the IoT Edge runtime has not made one that is good now."
        return None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to renew it."""
        begun, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        old = now >= begun + (end - begun) * _RENEWED_AT
        if self.maker is Maker.OPERATOR:
            return old
        # Another one would end with the CA as well; and one that is not valid yet is from a clock that was wrong.
        last = min((above.not_valid_after_utc for above in self.chain[1:]), default=None)
        return self.makeshift or now < begun or (old and end != last)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where in the data directory a certificate of one maker is kept, with its chain and its key."""

    maker: Maker
    certificate: str
    key: str


ISSUED = Shelf(Maker.NESTOR, "server-certificate.pem", "server-key.pem")
FETCHED = Shelf(Maker.RUNTIME, "runtime-certificate.pem", "runtime-key.pem")


def kept_certificates(source: Source, shelf: Shelf) -> tuple[x509.Certificate, ...]:
    """The chain that is kept; none where it cannot be read."""
    try:
        return read_certificates((source.data / shelf.certificate).read_bytes(), shelf.certificate)
    except (MaterialError, OSError):
        return ()


def kept(source: Source, shelf: Shelf) -> ServerIdentity | None:
    """The one of the last start; nothing where it cannot be used, for it is easily replaced."""
    chain = kept_certificates(source, shelf)
    try:
        key = load_key(source.data / shelf.key, source.passphrase).key
    except MaterialError:
        return None
    return ServerIdentity(chain, key, shelf.maker) if chain and fits(chain[0], key) else None


def keep(source: Source, shelf: Shelf, identity: ServerIdentity) -> None:
    """Keep it for the next start. Raises MaterialError."""
    key_path, path = source.data / shelf.key, source.data / shelf.certificate
    try:
        key_path.unlink(missing_ok=True)
        save_key(key_path, identity.key, source.passphrase)
        path.write_bytes(b"".join(link.public_bytes(Encoding.PEM) for link in identity.chain))
    except OSError as error:
        raise MaterialError(f"{path} cannot be written: {error.strerror}.", "Check space and mode.") from error


def makeshift(last: ServerIdentity | None, source: Source, maker: Maker = Maker.NESTOR) -> ServerIdentity:
    """What was shown until now, or a certificate that nobody trusts, so that health can be asked."""
    if last is not None:
        return replace(last, makeshift=True)
    key = generate(KeyType.EC_P256)
    issuer = make_root(
        key, "CN=Nestor cannot issue", lifetime=timedelta(days=1), now=source.clock.now(), serial=new_serial()
    )
    return ServerIdentity((issuer.certificate,), key, maker, makeshift=True)


def fits(certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes) -> bool:
    """Whether a key is that of a certificate."""
    return spki_of(certificate) == key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def names_of(certificate: x509.Certificate) -> list[str]:
    """The alternative names of a server certificate that are one host's: DNS names without wildcards, IP addresses."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    texts = (str(name.value).casefold() for name in names if isinstance(name, x509.DNSName | x509.IPAddress))
    return [text for text in texts if "*" not in text]
