"""Private keys in files: PEM, PKCS#8, mode 0600, with a passphrase where the operator names one.

A key file appears whole or not at all, also when the power fails, and is never overwritten. Nothing that a file holds
is ever part of an error.
"""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from nestor.disk import sync
from nestor.errors import MaterialError

_LARGEST_FILE = 65_536
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
SIGNING_KEYS = (
    ec.EllipticCurvePrivateKey,
    rsa.RSAPrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    dsa.DSAPrivateKey,
    mldsa.MLDSA44PrivateKey,
    mldsa.MLDSA65PrivateKey,
    mldsa.MLDSA87PrivateKey,
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key from a file, and sentences that its operator should hear: the file works, but not as it should.

    `sealed` says that it was opened by somebody else's key.
    """

    key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    warnings: tuple[str, ...] = ()
    sealed: bool = False


def save_key(path: Path, key: CertificateIssuerPrivateKeyTypes, passphrase: str | None = None) -> None:
    """Write a new key file. Raises MaterialError where one is there already, or the file cannot be written."""
    if path.exists():
        raise MaterialError(f"The key file {path} is there already; a key is never overwritten.", "Move it away first.")
    replace_key(path, key, passphrase)


def replace_key(path: Path, key: CertificateIssuerPrivateKeyTypes, passphrase: str | None = None) -> None:
    """Write a key file in the place of the one before, for the same key kept in another way. Raises MaterialError."""
    try:
        write_whole(path, pem_of(key, passphrase))
    except OSError as error:
        raise MaterialError(
            f"The key file {path} cannot be written: {error.strerror}.", "Check directory and mode."
        ) from error


def pem_of(key: CertificateIssuerPrivateKeyTypes, passphrase: str | None = None) -> bytes:
    """A key as a file holds it. Raises MaterialError for an empty passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(passphrase))


def load_key(path: Path, passphrase: str | None = None) -> StoredKey:
    """Read a key file. Raises MaterialError for one that is missing, damaged, or needs another passphrase."""
    pem, open_to_others = read_key_file(path)
    key, encrypted = _parse(path, pem, passphrase)
    warnings = [*open_to_others]
    if passphrase is not None and not encrypted:
        warnings.append(f"The key file {path} is not encrypted, although a passphrase is set.")
    return StoredKey(key, tuple(warnings))


def _encryption(passphrase: str | None) -> KeySerializationEncryption:
    if passphrase is None:
        return NoEncryption()
    if not passphrase:
        raise MaterialError("The passphrase for key files is empty.", "Set one, or leave the setting out.")
    return BestAvailableEncryption(passphrase.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place, make it durable, then move it there: no moment shows half a key, or a readable one.

    A file that takes the place of another belongs to whom that belonged. Raises OSError.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            _belong(file.fileno(), path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _belong(handle: int, path: Path) -> None:
    """Give a new file to the owner of the one before it: a command may run as another user than the server."""
    with suppress(FileNotFoundError):
        before = path.stat()
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, before.st_uid, before.st_gid)


def read_key_file(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """What a key file holds, and a sentence where others can read it as well. Raises MaterialError."""
    try:
        with path.open("rb") as file:
            content, mode = file.read(_LARGEST_FILE), os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise MaterialError(
            f"The key file {path} cannot be read: {error.strerror}.", "Check its path, owner and mode."
        ) from error
    if mode & _OTHERS:
        return content, (f"The key file {path} can be used by others than its owner: chmod 600 {path}",)
    return content, ()


def _parse(path: Path, pem: bytes, passphrase: str | None) -> tuple[CertificateIssuerPrivateKeyTypes, bool]:
    """The key, and whether the file was encrypted."""
    encrypted = b"ENCRYPTED" in pem
    if encrypted and not passphrase:
        raise MaterialError(f"The key file {path} is encrypted, and no passphrase is set.", "Set keys.passphrase.")
    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase and encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The parser's own words are left out, with its cause: they may quote what the file holds.
        raise _unusable(path, encrypted=encrypted) from None
    if not isinstance(key, SIGNING_KEYS):
        raise MaterialError(f"The key in {path} cannot sign.", "Use an EC P-256, EC P-384 or RSA key.")
    return key, encrypted


def _unusable(path: Path, *, encrypted: bool) -> MaterialError:
    if encrypted:
        return MaterialError(
            f"The key file {path} does not open with this passphrase, or it is damaged.",
            "Check keys.passphrase; restore the file from a backup.",
        )
    return MaterialError(f"The key file {path} does not hold a whole private key as PEM.", "Restore it from a backup.")
