"""Where the CA of this server lives in the data directory. It is made once; one that is lost is never made again (D19).

    ca/certificates.pem   the CA certificate, then those above it, the root last
    ca/key.pem            its key, sealed or not, unless the document names another place; `keys` writes and reads it
    ca/key-NAME.pem       the key of a CA that took the place of another one, NAME being the start of its fingerprint
    ca/former/            the certificates of the CAs before it, each with those above it, while they last
    ca-made               the fingerprint of the CA certificate: what remains when the directory is lost

The directory appears whole, by one rename. One CA takes the place of another by one rename of its certificates: what is
written before counts for nothing, what is written after can be made up for. A trace of a CA without the CA means that
it is lost, not that there never was one.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.ca.issuer import Issuer, fingerprint_of
from nestor.ca.loading import load_issuer, read_certificates
from nestor.disk import sync
from nestor.errors import CannotIssue, MaterialError, NestorError

_DIRECTORY = "ca"
_CERTIFICATES = "certificates.pem"
_KEY = "key.pem"
_FORMER = "former"
_NAMED = 16
_MARK = "ca-made"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_HINT = "Restore it from a backup. Nestor does not make a new CA in its place: devices and DPS would not know it."


@dataclass(frozen=True, slots=True)
class LostCA:
    """There is no CA that can be used, and why; `certificates` are those that can still be shown."""

    reason: NestorError
    certificates: tuple[x509.Certificate, ...]


class CAHome:
    """The CA of one data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._directory = data / _DIRECTORY
        self._mark = data / _MARK

    @property
    def mark_path(self) -> Path:
        """Where the trace is that there is a CA."""
        return self._mark

    @property
    def traces(self) -> frozenset[str]:
        """The fingerprints by which a CA is known here: that of the mark, that of the certificate that is kept."""
        shown = {fingerprint_of(certificate) for certificate in self._readable_certificates()[:1]}
        marked = self._marked()
        return frozenset(shown | ({marked} if marked else set()))

    @property
    def was_made(self) -> bool:
        """Whether there is a trace of a CA, of whatever source: then nothing here is ever made anew."""
        return self._mark.exists() or self._directory.exists()

    @property
    def files(self) -> tuple[Path, Path]:
        """What a CA is lost without."""
        return self.certificates_path, self.key_path

    @property
    def former_files(self) -> tuple[Path, ...]:
        """Where the certificates of the CAs before it are kept."""
        return tuple(sorted((self._directory / _FORMER).glob("*.pem")))

    @property
    def key_path(self) -> Path:
        """Where the key is kept, unless the document names another place."""
        for certificate in self._shown()[:1]:
            own = self._key_of(certificate)
            if own.exists():
                return own
        return self._directory / _KEY

    @property
    def certificates_path(self) -> Path:
        """Where the CA certificates are kept, of a CA that was made here: what devices are to trust."""
        return self._directory / _CERTIFICATES

    def load(
        self, load_key: Callable[[], CertificateIssuerPrivateKeyTypes], *, pinned: str | None = None
    ) -> Issuer | LostCA | None:
        """The CA; None where there never was one.

        `load_key` raises MaterialError for a key that is no good, CannotIssue for one that nobody opens now. `pinned`
        is the fingerprint that the ledger knows, or was heard from the hub.
        """
        if not self.was_made:
            return None if pinned is None else LostCA(self._nothing_left(pinned), ())
        try:
            issuer = self._assemble(load_key, pinned)
            if self._marked() != issuer.fingerprint:
                self.mark(issuer.fingerprint)
        except (MaterialError, CannotIssue) as reason:
            return LostCA(reason, self._readable_certificates())
        return issuer

    def keep(self, issuer: Issuer, save_key: Callable[[Path], None]) -> None:
        """Keep a new CA; `save_key` gets the path for its key. Raises MaterialError where there is, or was, one."""
        if self.was_made:
            raise MaterialError(f"There is, or was, a CA in {self._data} already.", "Use another data directory.")
        fresh = self._data / f".{_DIRECTORY}.new"
        try:
            # What an interrupted start left behind was never used: no certificate was issued from it.
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700, parents=True)
            save_key(fresh / _KEY)
            _write(fresh / _CERTIFICATES, _pem(issuer.certificates))
            sync(fresh)
            fresh.rename(self._directory)
            sync(self._data)
            self.mark(issuer.fingerprint)
        except OSError as error:
            raise MaterialError(
                f"The CA cannot be kept in {self._data}: {error.strerror}.", "Check space and mode."
            ) from error

    def _nothing_left(self, pinned: str) -> MaterialError:
        return MaterialError(
            f"There was a CA here, SHA-256 {pinned[:16]}..., and nothing of it is left in {self._data}.",
            f"Mount the volume that has it. {_HINT}",
        )

    def succeed(self, issuer: Issuer, save_key: Callable[[Path], None]) -> None:
        """Let another CA take the place of the one that is kept here; `save_key` gets the path for its key.

        Until its certificates have their name, all is as before; from then on it is the CA. Raises MaterialError.
        """
        before = self.certificates()
        key = self._key_of(issuer.certificate)
        try:
            (self._directory / _FORMER).mkdir(mode=0o700, exist_ok=True)
            key.unlink(missing_ok=True)
            save_key(key)
            _replace(self._directory / _FORMER / f"{fingerprint_of(before[0])}.pem", _pem(before))
            _replace(self.certificates_path, _pem(issuer.certificates))
            self.mark(issuer.fingerprint)
            for old in self._directory.glob("key*.pem"):
                if old != key:
                    old.unlink()
        except OSError as error:
            raise MaterialError(
                f"The CA cannot be kept in {self._directory}: {error.strerror}.", "Check space and mode."
            ) from error

    def former(self) -> tuple[tuple[x509.Certificate, ...], ...]:
        """The CAs before the one that is kept, each with those above it; what cannot be read is none."""
        found = [_readable(path) for path in self.former_files]
        current = {fingerprint_of(one) for one in self._shown()[:1]}
        return tuple(chain for chain in found if chain and fingerprint_of(chain[0]) not in current)

    def forget(self, former: x509.Certificate) -> None:
        """Keep no certificates of a CA any longer that issued nothing which is still good."""
        (self._directory / _FORMER / f"{fingerprint_of(former)}.pem").unlink(missing_ok=True)

    def _key_of(self, certificate: x509.Certificate) -> Path:
        return self._directory / f"key-{fingerprint_of(certificate)[:_NAMED]}.pem"

    def _shown(self) -> tuple[x509.Certificate, ...]:
        return _readable(self.certificates_path)

    def _assemble(self, load_key: Callable[[], CertificateIssuerPrivateKeyTypes], pinned: str | None) -> Issuer:
        certificates = self.certificates()
        former = self.former()
        issuer = replace(load_issuer(certificates[0], certificates[1:], load_key()), former=former)
        predecessors = {fingerprint_of(chain[0]) for chain in former}
        for known, where in ((self._marked(), self._mark), (pinned, "the ledger")):
            if known not in {None, issuer.fingerprint, *predecessors}:
                raise MaterialError(f"The CA in {self._directory} is not the one that {where} knows.", _HINT)
        return issuer

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates that are kept, the CA's own first. Raises MaterialError."""
        place = self.certificates_path
        try:
            pem = place.read_bytes()
        except OSError as error:
            raise MaterialError(f"A CA was made here, but {place} cannot be read: {error.strerror}.", _HINT) from error
        return read_certificates(pem, str(place))

    def _readable_certificates(self) -> tuple[x509.Certificate, ...]:
        """What can still be shown: never those of another CA than the one that was made here."""
        try:
            certificates = self.certificates()
        except MaterialError:
            return ()
        known = {None, fingerprint_of(certificates[0]), *(fingerprint_of(chain[0]) for chain in self.former())}
        return certificates if self._marked() in known else ()

    def _marked(self) -> str | None:
        """The fingerprint of the CA that was made here; None where the mark is missing or damaged."""
        try:
            text = self._mark.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if _FINGERPRINT.fullmatch(text) else None

    def mark(self, fingerprint: str) -> None:
        """Leave the trace that there is a CA. Raises MaterialError."""
        try:
            _replace(self._mark, f"{fingerprint}\n".encode())
        except OSError as error:
            raise MaterialError(
                f"{self._mark} cannot be written: {error.strerror}.", "Check space and mode."
            ) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    """Write beside the place, make it durable, then move it there."""
    fresh = path.with_name(f".{path.name}.new")
    _write(fresh, content)
    fresh.rename(path)
    sync(path.parent)


def _pem(certificates: Iterable[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _readable(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return read_certificates(path.read_bytes(), str(path))
    except (MaterialError, OSError):
        return ()
