"""What the gate remembers from one house to the next: which passwords were verified, and who asked how often.

It dies with the process. No password is in it: a proof is a keyed digest of user, password and stored hash, so that a
changed hash is another proof.
"""

import hmac
import math
import secrets
from collections import OrderedDict

from nestor.access.suspicion import DOUBTED, Guesses, Suspicion
from nestor.access.throttle import Buckets, Rate


class Verified:
    """Proofs of passwords that were verified, each until a moment (monotonic seconds); the oldest are forgotten."""

    def __init__(self, key: bytes, capacity: int = 10_000) -> None:
        self.key = key
        self._capacity = capacity
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def proof(self, *parts: str) -> bytes:
        """The keyed digest of some texts; nobody without the key can make one, or read one."""
        encoded = [part.encode() for part in parts]
        return hmac.digest(self.key, b"".join(len(part).to_bytes(4) + part for part in encoded), "sha256")

    def holds(self, proof: bytes, moment: float) -> bool:
        """Whether a proof is still good."""
        return self._until.get(proof, -math.inf) > moment

    def keep(self, proof: bytes, until: float) -> None:
        """Take a proof for good until a moment."""
        self._until[proof] = until
        self._until.move_to_end(proof)
        while len(self._until) > self._capacity:
            self._until.popitem(last=False)


class Memory:
    """The memory of one process."""

    def __init__(self) -> None:
        self.verified = Verified(secrets.token_bytes(32))
        self.guesses = Guesses()
        self._mark = secrets.token_hex(4)
        self._buckets: dict[str, tuple[Rate, Buckets]] = {}

    def hop(self, host: str) -> str:
        """What this process calls itself among the hops of a request: a name to read, and a mark that no other has."""
        return f"{host}#{self._mark}"

    def buckets(self, name: str, rate: Rate) -> Buckets:
        """The buckets of a name, as they were left; new ones where the rate is another."""
        known, buckets = self._buckets.get(name, (None, None))
        if buckets is None or known != rate:
            buckets = Buckets(rate)
            self._buckets[name] = rate, buckets
        return buckets

    def suspicion(self, failures: Rate) -> Suspicion:
        """What failed passwords have said so far; `failures` is how many are usual."""
        return Suspicion(self.buckets("failures", failures), self.buckets("doubts", DOUBTED), self.guesses)
