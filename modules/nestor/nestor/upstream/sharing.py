"""A question that many have at the same time is asked once: whoever comes meanwhile shares the answer, in its own time.

Whoever asks does so for itself. Where it is interrupted, the next one in the row asks.
"""

import asyncio
from collections.abc import Awaitable, Callable

from nestor.errors import NestorError, ParentSilent
from nestor.ports import Clock

Ask = Callable[[float], Awaitable[None]]
"""Asks, for at most so many seconds. Raises NestorError."""


class Shared:
    """One such question."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._now = clock.monotonic
        self._turn = asyncio.Lock()
        self._answers = 0
        self._fault: NestorError | None = None

    async def ask(self, within: float) -> None:
        """Have it answered, by whomever. Raises what asking raises, ParentSilent where time is up."""
        seen, due = self._answers, self._now() + within
        await self._wait(within)
        try:
            if self._answers == seen:
                self._fault = await self._asked(due - self._now())
                self._answers += 1
        finally:
            self._turn.release()
        if self._fault is not None:
            raise self._fault

    async def _wait(self, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                await self._turn.acquire()
        except TimeoutError as error:
            raise ParentSilent("The server of the layer above did not answer in time.", "Ask again.") from error

    async def _asked(self, within: float) -> NestorError | None:
        try:
            await self._ask(within)
        except NestorError as fault:
            return fault
        return None
