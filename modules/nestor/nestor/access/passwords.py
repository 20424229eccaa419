"""Password hashes as text: argon2id (RFC 9106) and scrypt (RFC 7914), both in the `$name$parameters$salt$hash` form.

New ones are argon2id; scrypt is taken from those whose rules ask for it. Who has which hash is in `users.py`, when
hashing may run is in `verifier.py`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

import argon2
from argon2.low_level import Type, hash_secret, verify_secret

from nestor.errors import MaterialError

_SALT_BYTES = 16
_HASH_BYTES = 32
_TIME, _MEMORY_KIB, _LANES = 2, 19_456, 1
"""The figures that OWASP's password storage cheat sheet asks for: 19 MiB, about 30 ms on a small gateway."""

_MOST_KIB = 256 * 1024
_MOST_PASSES = 16
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_HINT = "Make it anew with `nestor user add`, which writes argon2id."


def hash_password(password: str, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """The argon2id hash of a password, with a salt of its own."""
    salt = random_bytes(_SALT_BYTES)
    return hash_secret(password.encode(), salt, _TIME, _MEMORY_KIB, _LANES, _HASH_BYTES, Type.ID).decode("ascii")


def verify_password(stored: str, password: str) -> bool:
    """Whether a password is the one of a checked hash; compared in constant time. Costs tens of milliseconds."""
    if stored.startswith("$scrypt$"):
        log_n, r, p, salt, digest = _read_scrypt(stored)
        return hmac.compare_digest(_scrypt(password, salt, (log_n, r, p), len(digest)), digest)
    try:
        return verify_secret(stored.encode("ascii"), password.encode(), Type.ID)
    except argon2.exceptions.VerifyMismatchError:
        return False


def check_hash(stored: str, where: str) -> str:
    """A hash that can be verified at bearable cost, as it was given. Raises MaterialError; never shows the hash."""
    try:
        memory, passes = _scrypt_cost(stored) if stored.startswith("$scrypt$") else _argon2_cost(stored)
    except (ValueError, argon2.exceptions.Argon2Error, argon2.exceptions.InvalidHashError):
        raise MaterialError(f"The password hash of {where} is neither argon2id nor scrypt.", _HINT) from None
    if memory > _MOST_KIB or passes > _MOST_PASSES:
        raise MaterialError(f"The password hash of {where} asks for more work than a gateway has to give.", _HINT)
    return stored


def generate_password(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A password of 100 random bits, in four groups that can be read out; no signs that look alike."""
    signs = [_ALPHABET[byte % len(_ALPHABET)] for byte in random_bytes(20)]
    return "-".join("".join(signs[start : start + 5]) for start in range(0, 20, 5))


def _argon2_cost(stored: str) -> tuple[int, int]:
    parameters = argon2.extract_parameters(stored)
    if parameters.type is not Type.ID:
        raise ValueError(stored[:9])
    # A broken salt or hash is found only by decoding; a verification that fails as a mismatch proves the form.
    if parameters.memory_cost <= _MOST_KIB and parameters.time_cost <= _MOST_PASSES:
        verify_password(stored, "")
    return parameters.memory_cost, parameters.time_cost


def _scrypt_cost(stored: str) -> tuple[int, int]:
    log_n, r, p, _, _ = _read_scrypt(stored)
    if log_n == 0 or r == 0 or p == 0:
        raise ValueError(log_n)
    return (1 << log_n) * r // 8, p


def _read_scrypt(stored: str) -> tuple[int, int, int, bytes, bytes]:
    match = _SCRYPT.fullmatch(stored)
    if match is None:
        raise ValueError("form")
    return int(match[1]), int(match[2]), int(match[3]), _padded(match[4]), _padded(match[5])


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    n, r, p = 1 << cost[0], cost[1], cost[2]
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * r * (n + p), dklen=length)


def _padded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("base64") from None
