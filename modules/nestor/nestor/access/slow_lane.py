"""Where those wait who failed too often: at their own pace, in bounded number, and out of everybody's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nestor.errors import TooOften


class SlowLane:
    """Lets a network try one password a second for each user, a few users at a time, and a few networks.

    `pause` is in seconds.
    """

    def __init__(self, *, pause: float = 1.0, places: int = 16, of_one_network: int = 4) -> None:
        self._pause = pause
        self._places = places
        self._of_one_network = of_one_network
        self._inside: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def turn(self, network: str, user: str) -> AsyncIterator[None]:
        """Wait, and hold the place meanwhile. Raises TooOften where there is none."""
        if not self._takes(network, user):
            raise TooOften(
                "Too many wrong passwords came from this address or for this user.",
                "Others try at this moment; try again.",
                retry_after=2,
            )
        self._inside.add((network, user))
        try:
            await asyncio.sleep(self._pause)
            yield
        finally:
            self._inside.discard((network, user))

    def _takes(self, network: str, user: str) -> bool:
        of_this = sum(other == network for other, _ in self._inside)
        return (
            (network, user) not in self._inside and of_this < self._of_one_network and len(self._inside) < self._places
        )
