"""Whose turn it is: a few places for slow work, and a short line before them that is fair between networks.

Callers of one network wait for each other; a crowd from one network cannot keep others out. Whoever is less doubted
goes first; doubt may grow while somebody waits, and is asked for again at each turn.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from nestor.errors import TooOften


@dataclass(slots=True, eq=False)
class _Waiter:
    network: str
    ask: Callable[[], int]
    doubt: int
    turn: asyncio.Future[None]


class Turnstile:
    """Lets `places` in at a time; at most `line` wait, and the most doubted of the largest crowd leaves for another."""

    def __init__(self, *, places: int = 2, line: int = 256) -> None:
        self._free = places
        self._most = line
        self._waiting: list[_Waiter] = []
        self._order = count()
        self._turns: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, network: str, doubt: Callable[[], int] = lambda: 0) -> AsyncIterator[None]:
        """Wait for a place, hold it, give it on. Raises TooOften where the line is too long."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(_Waiter(network, doubt, doubt(), asyncio.get_running_loop().create_future()))
        try:
            yield
        finally:
            self._give_on()

    async def _wait(self, waiter: _Waiter) -> None:
        self._make_room(waiter)
        self._waiting.append(waiter)
        self._turns.setdefault(waiter.network, next(self._order))
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._leave(waiter)
            elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self._give_on()  # the place came in the moment of leaving
            raise

    def _make_room(self, newcomer: _Waiter) -> None:
        """Send the last of the longest line away, of those who are doubted most; that may be the newcomer."""
        waiting = self._still_waiting()
        if len(waiting) < self._most:
            return
        crowds = Counter(waiter.network for waiter in waiting)

        def claim(waiter: _Waiter) -> tuple[int, int]:
            return waiter.doubt, crowds[waiter.network]

        last = max(reversed(waiting), key=claim)
        crowds[newcomer.network] += 1
        if claim(newcomer) >= claim(last):
            raise _too_many()
        self._leave(last)
        last.turn.set_exception(_too_many())

    def _give_on(self) -> None:
        """Let the next one in, of those who are doubted least: the networks take turns."""
        waiting = self._still_waiting()
        if not waiting:
            self._free += 1
            return
        for waiter in waiting:
            waiter.doubt = waiter.ask()
        following = min(waiting, key=lambda waiter: (waiter.doubt, self._turns[waiter.network]))
        self._turns[following.network] = next(self._order)
        self._leave(following)
        following.turn.set_result(None)

    def _still_waiting(self) -> list[_Waiter]:
        """Those who have not given up: who has may not have come to leave the line yet."""
        return [waiter for waiter in self._waiting if not waiter.turn.done()]

    def _leave(self, waiter: _Waiter) -> None:
        self._waiting.remove(waiter)
        if not any(other.network == waiter.network for other in self._waiting):
            del self._turns[waiter.network]


def _too_many() -> TooOften:
    return TooOften("Too many passwords are being checked at this time.", "Try again in a few seconds.", retry_after=5)
