"""How often: token buckets in bounded number. Pure of clocks: the time, monotonic and in seconds, is an argument."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """As many at once as `burst`, then one every `pause` seconds."""

    burst: int
    pause: float


class Buckets:
    """One bucket per key. The keys left alone for longest are forgotten first: their buckets have refilled most."""

    def __init__(self, rate: Rate, *, capacity: int = 10_000) -> None:
        self._rate = rate
        self._capacity = capacity
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, now: float) -> float:
        """Take one token; the answer is how many seconds are missing: 0 when there was one."""
        level, since = self._level(key, now)
        missing = max(0.0, 1.0 - level)
        self._levels[key] = (level if missing else level - 1.0, since)
        self._levels.move_to_end(key)
        while len(self._levels) > self._capacity:
            self._levels.popitem(last=False)
        return missing * self._rate.pause

    def has(self, key: Hashable, now: float) -> bool:
        """Whether there is a token to take."""
        return self._level(key, now)[0] >= 1.0

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: Hashable, now: float) -> tuple[float, float]:
        """How full a bucket is, and as of when: who asks late may know an earlier time than the bucket does."""
        level, since = self._levels.get(key, (float(self._rate.burst), now))
        now = max(now, since)
        return min(float(self._rate.burst), level + (now - since) / self._rate.pause), now
