"""Passwords checked at bearable cost: hashing in threads, a few at a time, and a memory of what was verified.

A wrong password and an unknown user cost the same and read the same. Whoever knows the password is never locked out by
those who guess: only failures are counted, and those who have had none lately are looked at first.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from nestor.access.memory import Verified
from nestor.access.passwords import hash_password, verify_password
from nestor.access.slow_lane import SlowLane
from nestor.access.suspicion import Suspicion
from nestor.access.turnstile import Turnstile
from nestor.access.users import User, Users
from nestor.errors import TooOften, Unauthenticated
from nestor.events import Trouble
from nestor.naming import fold, network_of

WRONG = "User name and password are not accepted here."
_WRONG_HINT = "Check both; the operator of this server sees who tried in its log."


@dataclass(frozen=True, slots=True)
class _Caller:
    """Whoever sent a password: the folded name, where from, and when."""

    name: str
    network: str
    moment: float

    @property
    def key(self) -> tuple[str, str]:
        """What failures are counted by."""
        return self.network, self.name


class Verifier:
    """Says whether a user name and a password belong together.

    `verified_for` is in seconds; `tell` hears of those who guess; `check` compares a hash and a password.
    """

    def __init__(
        self,
        users: Users,
        suspicion: Suspicion,
        verified: Verified,
        *,
        verified_for: float,
        tell: Callable[[Trouble], None],
        check: Callable[[str, str], bool] = verify_password,
        slow_lane: SlowLane | None = None,
    ) -> None:
        self._users = users
        self._suspicion = suspicion
        self._verified = verified
        self._verified_for = verified_for
        self._tell = tell
        self._check = check
        self._slow_lane = slow_lane or SlowLane()
        self._turnstile = Turnstile()
        self._nobody = hash_password("", lambda length: verified.key[:length])

    async def verify(self, name: str, password: str, address: str, now: datetime, moment: float) -> User:
        """The user. Raises Unauthenticated, or TooOften after too many failures. `moment` is monotonic, in seconds."""
        caller = _Caller(fold(name), network_of(address), moment)
        user = self._users.find(name)
        stored = user.hash if user else self._stand_in(caller.name)
        proof = self._verified.proof(caller.name, password, stored)
        correct = self._verified.holds(proof, moment) or await self._hash(stored, password, proof, caller)
        if user is None or not correct or (user.expires is not None and user.expires <= now):
            raise self._failure(caller)
        if not self._verified.holds(proof, moment):
            self._verified.keep(proof, moment + self._verified_for)
        return user

    async def _hash(self, stored: str, password: str, proof: bytes, caller: _Caller) -> bool:
        async with self._turn(caller):
            if self._verified.holds(proof, caller.moment):
                return True  # the same password was verified while this one waited
            work = asyncio.get_running_loop().run_in_executor(None, self._check, stored, password)
            try:
                return await asyncio.shield(work)
            finally:
                await asyncio.wait([work])  # nobody stops a thread: the place is taken until it is done

    @asynccontextmanager
    async def _turn(self, caller: _Caller) -> AsyncIterator[None]:
        """Wait as long as it has to be. Raises TooOften where too many wait already."""
        async with AsyncExitStack() as turns:
            if self._suspicion.is_guessing(*caller.key, caller.moment):
                await turns.enter_async_context(self._slow_lane.turn(*caller.key))
            doubt = partial(self._suspicion.doubt, *caller.key, caller.moment)
            await turns.enter_async_context(self._turnstile.turn(caller.network, doubt))
            yield

    def _stand_in(self, name: str) -> str:
        """What an unknown user is checked against: some user's hash, always the same, so cost tells nothing."""
        hashes = self._users.hashes() or (self._nobody,)
        return hashes[int.from_bytes(self._verified.proof("nobody", name)[:8]) % len(hashes)]

    def _failure(self, caller: _Caller) -> Unauthenticated | TooOften:
        missing, trouble = self._suspicion.failed(*caller.key, caller.moment)
        if trouble is not None:
            self._tell(trouble)
        if missing:
            wait = math.ceil(missing)
            return TooOften("Too many wrong passwords came from this address or for this user.", retry_after=wait)
        return Unauthenticated(WRONG, _WRONG_HINT, challenge=True)
