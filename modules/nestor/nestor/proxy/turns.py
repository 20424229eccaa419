"""Turns of the event loop for those who move long bodies: a few of them each time, the others wait in line.

However many bodies are on their way, an enrollment waits for no more than these few steps.
"""

import asyncio
from collections import deque

_AT_ONCE = 2


class Turns:
    """Whose turn it is, in the order in which they came."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = _AT_ONCE
        self._line: deque[asyncio.Future[None]] = deque()
        self._due = False

    async def take(self) -> None:
        """Wait for a turn."""
        if not self._due:
            self._due = True
            self._loop.call_soon(self._next)
        if self._left:
            self._left -= 1
            return
        turn: asyncio.Future[None] = self._loop.create_future()
        self._line.append(turn)
        await turn

    def _next(self) -> None:
        """A new turn of the loop."""
        self._left = _AT_ONCE
        while self._left and self._line:
            turn = self._line.popleft()
            if not turn.done():
                self._left -= 1
                turn.set_result(None)
        self._due = bool(self._line) or self._left < _AT_ONCE
        if self._due:
            self._loop.call_soon(self._next)
