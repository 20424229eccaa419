"""Connections upward that wait for their next request. The last one to come back goes first, so that the others age."""

import asyncio
import ssl
from collections import defaultdict

from nestor.proxy.dialing import Target, dial
from nestor.proxy.line import Line

_MOST = 32  # for one target
_LONGEST = 50.0
"""Seconds: many servers close a connection that was idle for a minute."""

_Key = tuple[Target, ssl.SSLContext | None]


class Pool:
    """Lines by their target; never one whose trust is not that of this moment."""

    def __init__(self) -> None:
        self._idle: dict[_Key, list[tuple[float, Line]]] = defaultdict(list)
        self._contexts: dict[Target, ssl.SSLContext] = {}
        self._loop = asyncio.get_running_loop()
        self._round: asyncio.TimerHandle | None = None

    async def take(self, target: Target, *, fresh: bool = False) -> Line:
        """A line to a target: one that waited, or a new one. Raises Lost or NestorError."""
        context = await target.context()
        self._contexts[target] = context
        waiting = self._idle.get((target, context), [])
        while waiting and not fresh:
            _, line = waiting.pop()
            if line.is_silent():
                line.heard = False
                return line
            line.close()
        return await dial(target, context)

    def give_back(self, target: Target, line: Line) -> None:
        """Let a line wait for its next request."""
        context = self._contexts.get(target)
        waiting = self._idle[target, context]
        if len(waiting) >= _MOST or not line.is_silent():
            line.close()
            return
        line.reused = True
        waiting.append((self._loop.time(), line))
        if self._round is None:
            self._round = self._loop.call_later(_LONGEST, self._sweep)

    def close(self) -> None:
        """End every line that waits."""
        if self._round is not None:
            self._round.cancel()
            self._round = None
        for waiting in self._idle.values():
            for _, line in waiting:
                line.close()
        self._idle.clear()
        self._contexts.clear()

    def _sweep(self) -> None:
        """End the lines that waited long, or whose trust is another one by now."""
        end = self._loop.time() - _LONGEST
        for key, waiting in list(self._idle.items()):
            target, context = key
            good = self._contexts.get(target) is context
            for since, line in waiting:
                if since < end or not good:
                    line.close()
            kept = [(since, line) for since, line in waiting if since >= end and good]
            if kept:
                self._idle[key] = kept
            else:
                del self._idle[key]
        self._contexts = {target: self._contexts[target] for target, _ in self._idle if target in self._contexts}
        self._round = self._loop.call_later(_LONGEST, self._sweep) if self._idle else None
