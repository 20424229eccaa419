"""Where those wait who failed too often: at their own pace, in bounded number, and out of everybody's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nestor.errors import TooOften


class SlowLane:
    """Lets a network try one password a second for each user, a few users at a time, and a few networks.

    The others wait, and whoever of them looks first finds the free place: among those who guess, whoever knows the
    password has a chance like any other, and they cannot ask more often than they are answered. `pause` is in seconds.
    """

    def __init__(self, *, pause: float = 1.0, places: int = 16, of_one_network: int = 4, line: int = 256) -> None:
        self._pause = pause
        self._places = places
        self._of_one_network = of_one_network
        self._line = line
        self._waiting = 0
        self._inside: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def turn(self, network: str, user: str) -> AsyncIterator[None]:
        """Wait for a place, and then as long as it costs. Raises TooOften where too many wait."""
        await self._wait(network, user)
        self._inside.add((network, user))
        try:
            await asyncio.sleep(self._pause)
            yield
        finally:
            self._inside.discard((network, user))

    async def _wait(self, network: str, user: str) -> None:
        if self._waiting >= self._line:
            raise TooOften(
                "Too many wrong passwords came from this address or for this user.",
                "Others try at this moment; try again.",
                retry_after=5,
            )
        self._waiting += 1
        try:
            while not self._has_place(network, user):  # noqa: ASYNC110 -- no order is kept, so nobody is called
                await asyncio.sleep(self._pause / 4)
        finally:
            self._waiting -= 1

    def _has_place(self, network: str, user: str) -> bool:
        of_this = sum(other == network for other, _ in self._inside)
        return (
            (network, user) not in self._inside and of_this < self._of_one_network and len(self._inside) < self._places
        )
