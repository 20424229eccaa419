"""Whose turn it is: a few places for slow work, and a short line before them that is fair between addresses.

Callers of one address wait for each other; a crowd from one address cannot keep others out.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nestor.errors import TooOften


class Turnstile:
    """Lets `places` in at a time; at most `line` wait, and the longest line loses its last when another comes."""

    def __init__(self, *, places: int = 2, line: int = 512) -> None:
        self._free = places
        self._most = line
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a place, hold it, give it on. Raises TooOften where the line is too long."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._give_on()

    async def _wait(self, address: str) -> None:
        self._make_room(address)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_on()  # the place came in the moment of leaving
            self._forget(address, waiter)
            raise

    def _make_room(self, address: str) -> None:
        if sum(map(len, self._lines.values())) < self._most:
            return
        longest = max(self._lines, key=lambda other: len(self._lines[other]))
        if len(self._lines[longest]) <= len(self._lines.get(address, ())) + 1:
            raise _too_many()
        waiter = self._lines[longest].pop()
        waiter.set_exception(_too_many())

    def _give_on(self) -> None:
        """Let the next one in: the first of the line that has waited longest for its turn; that line goes last."""
        while self._lines:
            address, line = self._lines.popitem(last=False)
            waiter = line.popleft()
            if line:
                self._lines[address] = line
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def _forget(self, address: str, waiter: asyncio.Future[None]) -> None:
        line = self._lines.get(address, deque())
        if waiter in line:
            line.remove(waiter)
        if not line:
            self._lines.pop(address, None)


def _too_many() -> TooOften:
    return TooOften("Too many passwords are being checked at this time.", "Try again in a few seconds.", retry_after=5)
