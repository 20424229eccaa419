"""Sealed private keys: files that only a sealer opens, or whoever knows the recovery passphrase.

    key        the PKCS#8, by AES-256-GCM under a data key of its own; all else in the file is bound to it
    sealed     the data key, as the sealer gave it back
    recovery   the data key, by AES-256-GCM under the recovery passphrase (scrypt, RFC 7914)

The file is PEM with a label of its own (RFC 7468) around a SHA-256 and JSON. There is one way to write it, so whatever
differs is damage. It takes the place of a key file whole, and nothing that it guards is ever part of an error.
"""

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nestor.errors import MaterialError
from nestor.keys.file import SIGNING_KEYS, write_whole

SHORTEST = 12
"""Characters of the shortest recovery passphrase: whoever gets the file may guess for years."""

_BEGIN, _END = b"-----BEGIN NESTOR SEALED KEY-----\n", b"-----END NESTOR SEALED KEY-----\n"
_COLUMNS = re.compile(rb".{1,64}", re.DOTALL)
_DIGEST = 32
_DATA_KEY, _NONCE, _SALT = 32, 12, 16
_N, _R, _P = 2**15, 8, 3
"""32 MB and a tenth of a second: as dear to guess as n = 2^17, p = 1, in the memory that a small gateway has."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Recovery(_Part):
    """The data key, under a passphrase."""

    kdf: Literal["scrypt"] = "scrypt"
    n: Annotated[int, Field(ge=2**14, le=2**18)] = _N
    r: Annotated[int, Field(ge=8, le=16)] = _R
    p: Annotated[int, Field(ge=1, le=16)] = _P
    salt: Annotated[bytes, Field(min_length=_SALT)]
    nonce: Annotated[bytes, Field(min_length=_NONCE, max_length=_NONCE)]
    wrapped: bytes


class SealedKey(_Part):
    """What a sealed file holds. None of it tells anything about the key."""

    version: Literal[1] = 1
    sealed: bytes
    recovery: Recovery
    nonce: Annotated[bytes, Field(min_length=_NONCE, max_length=_NONCE)]
    key: bytes

    @property
    def bound(self) -> bytes:
        """Everything but the key: it cannot be exchanged without the key becoming unreadable."""
        return self.model_dump_json(exclude={"key"}).encode()


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A new data key and its two wraps: all that a sealed file takes, but for the key in it."""

    data_key: bytes = field(repr=False)
    sealed: bytes
    recovery: Recovery


def new_data_key() -> bytes:
    """A key for one sealed file. Randomness is that of the operating system."""
    return os.urandom(_DATA_KEY)


def check_recovery(passphrase: str) -> str:
    """The recovery passphrase, if it is long enough. Raises MaterialError."""
    if len(passphrase) < SHORTEST:
        raise MaterialError(
            f"The recovery passphrase has {len(passphrase)} characters; it opens the CA key, so it needs {SHORTEST}.",
            "Make one: openssl rand -base64 24.",
        )
    return passphrase


def wrap_for_recovery(data_key: bytes, passphrase: str) -> Recovery:
    """Wrap a data key under a passphrase; takes a moment of CPU and 32 MB, on purpose. Raises MaterialError."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    blank = Recovery(salt=salt, nonce=nonce, wrapped=b"")
    wrapped = AESGCM(_stretched(check_recovery(passphrase), blank)).encrypt(nonce, data_key, None)
    return blank.model_copy(update={"wrapped": wrapped})


def unwrap_by_recovery(sealed: SealedKey, passphrase: str, where: Path) -> bytes:
    """The data key, by the recovery passphrase; as dear as wrapping. Raises MaterialError for another passphrase."""
    recovery = sealed.recovery
    try:
        return AESGCM(_stretched(passphrase, recovery)).decrypt(recovery.nonce, recovery.wrapped, None)
    except InvalidTag:
        raise MaterialError(
            f"The sealed key {where} does not open with this recovery passphrase.",
            "Take the one that was set when the key was sealed.",
        ) from None


def lock(key: CertificateIssuerPrivateKeyTypes, wrapping: Wrapping) -> SealedKey:
    """Seal a key."""
    blank = SealedKey(sealed=wrapping.sealed, recovery=wrapping.recovery, nonce=os.urandom(_NONCE), key=b"")
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return blank.model_copy(update={"key": AESGCM(wrapping.data_key).encrypt(blank.nonce, plain, blank.bound)})


def unlock(sealed: SealedKey, data_key: bytes, where: Path) -> CertificateIssuerPrivateKeyTypes:
    """The key. Raises MaterialError where the parts of the file do not belong together."""
    try:
        key = load_der_private_key(AESGCM(data_key).decrypt(sealed.nonce, sealed.key, sealed.bound), None)
    except (InvalidTag, ValueError, TypeError, UnsupportedAlgorithm):
        # The cause is left out: it may quote what was decrypted.
        raise _damaged(where) from None
    if not isinstance(key, SIGNING_KEYS):
        raise MaterialError(f"The key in {where} cannot sign.", "Use an EC P-256, EC P-384 or RSA key.")
    return key


def is_sealed(content: bytes) -> bool:
    """Whether a key file is a sealed one."""
    return content.startswith(_BEGIN)


def parse(content: bytes, where: Path) -> SealedKey:
    """Read a sealed file. Raises MaterialError where a single byte of it is not as it was written."""
    try:
        body = base64.b64decode(content.removeprefix(_BEGIN).removesuffix(_END).replace(b"\n", b""), validate=True)
        digest, text = body[:_DIGEST], body[_DIGEST:]
        whole = content == _armor(body) and digest == hashlib.sha256(text).digest()
    except ValueError:
        whole, text = False, b""
    if not whole:
        raise _damaged(where)
    try:
        return SealedKey.model_validate_json(text)
    except ValidationError:
        raise MaterialError(
            f"The sealed key {where} is of a form that this Nestor does not know.", "A newer Nestor wrote it: use that."
        ) from None


def encode(sealed: SealedKey) -> bytes:
    """A sealed key as its file holds it."""
    text = sealed.model_dump_json().encode()
    return _armor(hashlib.sha256(text).digest() + text)


def write_sealed(path: Path, sealed: SealedKey) -> None:
    """Write a sealed file, or put it in the place of a key file, whole or not at all. Raises MaterialError."""
    try:
        write_whole(path, encode(sealed))
    except OSError as error:
        raise MaterialError(
            f"The key file {path} cannot be written: {error.strerror}.", "Check directory and mode."
        ) from error


def _armor(body: bytes) -> bytes:
    lines = b"".join(line + b"\n" for line in _COLUMNS.findall(base64.b64encode(body)))
    return _BEGIN + lines + _END


def _stretched(passphrase: str, recovery: Recovery) -> bytes:
    """The key that a passphrase stands for."""
    room = 128 * recovery.r * (recovery.n + recovery.p + 2)
    return hashlib.scrypt(
        passphrase.encode(), salt=recovery.salt, n=recovery.n, r=recovery.r, p=recovery.p, maxmem=room, dklen=_DATA_KEY
    )


def _damaged(where: Path) -> MaterialError:
    return MaterialError(f"The sealed key {where} is damaged.", "Restore it from a backup.")
