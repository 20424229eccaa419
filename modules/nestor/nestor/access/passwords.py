"""Password hashes as text: argon2id (RFC 9106) and scrypt (RFC 7914), both in the `$name$parameters$salt$hash` form.

New ones are argon2id; scrypt is taken from those whose rules ask for it. A password that a person chose is hashed at a
cost that slows guessing; one that was drawn here cannot be guessed and costs next to nothing (docs/adr/0008). Who has
which hash is in `users.py`, when hashing may run is in `verifier.py`.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret

from nestor.errors import MaterialError

_SALT_BYTES = 16
_HASH_BYTES = 32
_TIME, _MEMORY_KIB, _LANES = 2, 19_456, 1
"""The figures that OWASP's password storage cheat sheet asks for: 19 MiB, about 30 ms on a small gateway."""

_DRAWN_TIME, _DRAWN_MEMORY_KIB = 1, 8
"""The least that argon2id takes, for passwords that are drawn: 20 microseconds."""

_MOST_KIB = 256 * 1024
_MOST_PASSES = 16
_SALT_AND_HASH = r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
_ARGON2 = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,8}),p=(\d{1,2})" + _SALT_AND_HASH)
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})" + _SALT_AND_HASH)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 5
_HINT = "Make it anew with `nestor user add`, which writes argon2id."


def hash_password(password: str, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """The argon2id hash of a password, with a salt of its own."""
    salt = random_bytes(_SALT_BYTES)
    return hash_secret(password.encode(), salt, _TIME, _MEMORY_KIB, _LANES, _HASH_BYTES, Type.ID).decode("ascii")


def verify_password(stored: str, password: str) -> bool:
    """Whether a password is the one of a checked hash; compared in constant time. Costs tens of milliseconds."""
    if match := _SCRYPT.fullmatch(stored):
        return _verify_scrypt(match, password)
    try:
        return verify_secret(stored.encode("ascii"), password.encode(), Type.ID)
    except VerificationError:
        return False


def check_hash(stored: str, where: str) -> str:
    """A hash that can be verified at bearable cost, as it was given. Raises MaterialError; never shows the hash."""
    cost = _cost(stored)
    if cost is None:
        raise MaterialError(f"The password hash of {where} is neither argon2id nor scrypt.", _HINT)
    if cost[0] > _MOST_KIB or cost[1] > _MOST_PASSES:
        raise MaterialError(f"The password hash of {where} asks for more work than a gateway has to give.", _HINT)
    return stored


@dataclass(frozen=True, slots=True)
class DrawnPassword:
    """A password that was drawn here, and the hash that is kept of it."""

    text: str = field(repr=False)
    hash: str = field(repr=False)


def draw_password(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> DrawnPassword:
    """A new password of 150 random bits, in groups that can be read out; no signs that look alike."""
    signs = [_ALPHABET[byte % len(_ALPHABET)] for byte in random_bytes(_GROUPS * _GROUP)]
    text = "-".join("".join(signs[start : start + _GROUP]) for start in range(0, len(signs), _GROUP))
    salt = random_bytes(_SALT_BYTES)
    hashed = hash_secret(text.encode(), salt, _DRAWN_TIME, _DRAWN_MEMORY_KIB, _LANES, _HASH_BYTES, Type.ID)
    return DrawnPassword(text, hashed.decode("ascii"))


def _cost(stored: str) -> tuple[int, int] | None:
    """Memory in KiB and passes over it; None for a text that is no hash."""
    if any(len(part) % 4 == 1 for part in stored.split("$")[-2:]):
        return None  # no base64 has such a length
    if match := _ARGON2.fullmatch(stored):
        memory, passes, lanes = int(match[1]), int(match[2]), int(match[3])
        return (memory, passes) if passes and lanes and memory >= 8 * lanes else None
    if match := _SCRYPT.fullmatch(stored):
        log_n, r, p = int(match[1]), int(match[2]), int(match[3])
        return ((1 << log_n) * r // 8, p) if log_n and r and p else None
    return None


def _verify_scrypt(match: re.Match[str], password: str) -> bool:
    cost = int(match[1]), int(match[2]), int(match[3])
    salt, digest = _decode(match[4]), _decode(match[5])
    return hmac.compare_digest(_scrypt(password, salt, cost, len(digest)), digest)


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    n, r, p = 1 << cost[0], cost[1], cost[2]
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * r * (n + p), dklen=length)


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
