"""Where an errand's certificates go, and the keys that were made here for them.

    NAME.pem    the certificate, behind it the CA's where the operator wants them
    NAME.key    its key where it was made here: PKCS #8, mode 0600

A file appears whole or not at all, and is not overwritten by one of another key. Nothing here remembers what was
issued: that is the ledger's.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.errors import MaterialError
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.model import Entry, KeyType

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class MadeKey:
    """The key of a name; `fresh` where it was made just now."""

    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    fresh: bool


class Delivery:
    """A directory for many, or `only` one file; `chain` are the certificates that go behind each."""

    def __init__(self, directory: Path, *, chain: Sequence[x509.Certificate], only: Path | None = None) -> None:
        self.directory = directory
        self._only = only
        self._chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Make the directory, and keep it to this command alone. Raises MaterialError."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise cannot_write(self.directory, error) from error
        try:
            _lock(descriptor, self.directory)
            yield
        finally:
            os.close(descriptor)

    def certificate_path(self, name: str) -> Path:
        """Where the certificate of a name goes. Raises MaterialError for a name that no file can have."""
        if self._only is not None:
            return self._only
        if "/" in name or name.startswith(".") or not name.isprintable() or len(name.encode()) > _LONGEST:
            raise MaterialError(f"{name!r} cannot be the name of a file.", "Issue this one alone: --out FILE.")
        return self.directory / f"{name}.pem"

    def key_path(self, name: str) -> Path:
        """Where the key of a name goes that is made here."""
        place = self.certificate_path(name)
        return place.with_name(f"{place.name.removesuffix('.pem')}.key")

    def check_free(self, name: str, spki: bytes) -> None:
        """Raise MaterialError where a file is in the way that is not a certificate of this key."""
        place = self.certificate_path(name)
        try:
            found = x509.load_pem_x509_certificate(place.read_bytes()).public_key()
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            found = None
        if found is None or found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
            raise MaterialError(f"{place} is there already, and is no certificate of this key.", "Move it away first.")

    def put(self, name: str, entry: Entry) -> Path:
        """Write a certificate, unless it is there as it should be. Raises MaterialError."""
        place = self.certificate_path(name)
        content = x509.load_der_x509_certificate(entry.der).public_bytes(Encoding.PEM) + self._chain
        beside = place.with_name(f".{place.name}.new")
        try:
            if not place.exists() or place.read_bytes() != content:
                beside.write_bytes(content)
                beside.replace(place)
        except OSError as error:
            raise cannot_write(place, error) from error
        return place

    def key(self, name: str, kind: KeyType, passphrase: str | None) -> MadeKey:
        """The key of a name: the one that is there from before, or a new one, which is on the disk when this returns.

        Raises MaterialError.
        """
        place = self.key_path(name)
        if place.exists():
            return MadeKey(load_key(place, passphrase).key, fresh=False)
        key = generate(kind)
        save_key(place, key, passphrase)
        return MadeKey(key, fresh=True)

    def drop_key(self, name: str) -> None:
        """Remove a key that nothing was issued for."""
        self.key_path(name).unlink(missing_ok=True)


def cannot_write(place: Path, error: OSError) -> MaterialError:
    """What to say of a place that cannot be written."""
    return MaterialError(f"{place} cannot be written: {error.strerror}.", "Check path, space and mode.")


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise MaterialError(f"Another command is writing to {directory}.", "Wait for it to end.") from None
