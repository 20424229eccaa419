"""Passwords checked at bearable cost: hashing in threads, a few at a time, and a memory of what was verified.

A wrong password and an unknown user cost the same and read the same. Only failures are counted: whoever knows the
password is never locked out by those who guess.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime

from nestor.access.memory import Verified
from nestor.access.passwords import hash_password, verify_password
from nestor.access.throttle import Buckets
from nestor.access.turnstile import Turnstile
from nestor.access.users import User, Users
from nestor.errors import TooOften, Unauthenticated
from nestor.model import fold

WRONG = "User name and password are not accepted here."
_WRONG_HINT = "Check both; the operator of this server sees who tried in its log."


class Verifier:
    """Says whether a user name and a password belong together.

    `verified_for` is in seconds; `check` compares a hash and a password.
    """

    def __init__(
        self,
        users: Users,
        failures: Buckets,
        verified: Verified,
        *,
        verified_for: float,
        check: Callable[[str, str], bool] = verify_password,
    ) -> None:
        self._users = users
        self._failures = failures
        self._verified = verified
        self._verified_for = verified_for
        self._check = check
        self._turnstile = Turnstile()
        self._nobody = hash_password("", lambda length: verified.key[:length])

    async def verify(self, name: str, password: str, address: str, now: datetime, moment: float) -> User:
        """The user. Raises Unauthenticated, or TooOften after too many failures. `moment` is monotonic, in seconds."""
        user = self._users.find(name)
        stored = user.hash if user else self._stand_in(name)
        proof = self._verified.proof(fold(name), password, stored)
        correct = self._verified.holds(proof, moment) or await self._hash(stored, password, address)
        if user is None or not correct or (user.expires is not None and user.expires <= now):
            raise self._failure(name, address, moment)
        if not self._verified.holds(proof, moment):
            self._verified.keep(proof, moment + self._verified_for)
        return user

    async def _hash(self, stored: str, password: str, address: str) -> bool:
        async with self._turnstile.turn(address):
            return await asyncio.to_thread(self._check, stored, password)

    def _stand_in(self, name: str) -> str:
        """What an unknown user is checked against: some user's hash, always the same, so cost tells nothing."""
        hashes = self._users.hashes() or (self._nobody,)
        return hashes[int.from_bytes(self._verified.proof("nobody", fold(name))[:8]) % len(hashes)]

    def _failure(self, name: str, address: str, moment: float) -> Unauthenticated | TooOften:
        tried = (("address", address), ("user", fold(name)))
        missing = max(self._failures.take(key, moment) for key in tried)
        if missing:
            wait = math.ceil(missing)
            return TooOften("Too many wrong passwords came from this address or for this user.", retry_after=wait)
        return Unauthenticated(WRONG, _WRONG_HINT, challenge=True)
