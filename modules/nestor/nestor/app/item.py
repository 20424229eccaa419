"""One row of a batch: who a certificate is for, and the request, whether somebody sent it or its key is made here."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.errors import Malformed, MaterialError, NestorError
from nestor.est import pkcs10
from nestor.model import CertificationRequest
from nestor.naming import EDGE_CA_PREFIX
from nestor.upstream import wish

_LARGEST_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Item:
    """One row; `name` may be left to the request, and the request left out where the key is to be made here.

    `where` tells a person where the row stands. `fault` is what is wrong with the row itself.
    """

    where: str
    profile: str
    name: str | None = None
    request: Path | None = None
    alternative_names: tuple[x509.GeneralName, ...] = ()
    fault: NestorError | None = None


def plain(name: str) -> str:
    """A device as its files are named: an Edge CA is its device's."""
    return name.removeprefix(EDGE_CA_PREFIX)


def read_request(place: Path) -> CertificationRequest:
    """The request in a file. Raises MaterialError for a file without one, Malformed for one that does not hold."""
    try:
        with place.open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError as error:
        raise MaterialError(f"The request {place} cannot be read: {error.strerror}.", "Check path and mode.") from error
    der = pkcs10.find(content)
    if der is None:
        raise MaterialError(f"{place} holds no certification request.", "It has to be PKCS #10, as PEM or DER.")
    return pkcs10.read(der)


def make_request(item: Item, key: CertificateIssuerPrivateKeyTypes, *, ca: bool) -> CertificationRequest:
    """A request for a key that was made here, in the shape that IoT Edge would give it. Raises Malformed."""
    name = plain(item.name or "")
    try:
        wanted = wish.edge_ca(name) if ca else wish.identity(name, item.alternative_names)
    except ValueError:
        raise Malformed(f"{name!r} cannot be the name in a certificate.", "It has 1 to 64 characters.") from None
    return pkcs10.read(
        pkcs10.build(key, wanted.subject, alternative_names=wanted.alternative_names, extensions=wanted.extensions)
    )
