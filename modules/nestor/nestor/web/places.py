"""Who is served, who waits, and who gives way: the caps on connections. Decides only; no socket is touched here.

A place is taken until its connection is closed. Above the cap of its address, a connection waits for a place. Above the
cap in all, the one that is furthest from a request gives way to the newcomer; nobody who is being answered ever does.
"""

from collections import Counter

from nestor.web.connection import Connection, Phase

_GIVE_WAY = (Phase.LINGERING, Phase.HANDSHAKE, Phase.QUIET, Phase.HEAD, Phase.IDLE)


class Places:
    """The connections of a listener, in the order of their arrival."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._all: dict[Connection, None] = {}
        self._begun: Counter[str] = Counter()
        self._waiting: dict[str, list[Connection]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def all(self) -> list[Connection]:
        """Every connection, the oldest first."""
        return list(self._all)

    def has_room(self) -> bool:
        """Whether one more can come, be it that another one gives way."""
        return len(self._all) < self._total or self._first_to_go() is not None

    def arrive(self, newcomer: Connection) -> None:
        """Let a connection begin, or wait behind those of its address."""
        if len(self._all) >= self._total:
            self.shed()
        self._all[newcomer] = None
        self._waiting.setdefault(newcomer.address, []).append(newcomer)
        self._let_begin(newcomer.address)

    def leave(self, gone: Connection) -> None:
        """Forget a connection that is closed; the next one of its address begins."""
        del self._all[gone]
        queue = self._waiting.get(gone.address, [])
        if gone in queue:
            queue.remove(gone)
        else:
            self._begun[gone.address] -= 1
        self._let_begin(gone.address)

    def shed(self) -> None:
        """Close the connection that gives way first, if there is one."""
        victim = self._first_to_go()
        if victim is not None:
            victim.abort()

    def make_way(self) -> None:
        """Where connections wait, close idle ones of the same address for them."""
        for address, queue in list(self._waiting.items()):
            idle = [one for one in self._all if one.address == address and one.phase is Phase.IDLE]
            for one in idle[: len(queue)]:
                one.abort()

    def _let_begin(self, address: str) -> None:
        queue = self._waiting.get(address, [])
        while queue and self._begun[address] < self._per_address:
            self._begun[address] += 1
            queue.pop(0).begin()
        if not queue:
            self._waiting.pop(address, None)
        if not self._begun[address]:
            del self._begun[address]

    def _first_to_go(self) -> Connection | None:
        """The last one of the longest queue; else the oldest of those that are furthest from a request."""
        if self._waiting:
            return max(self._waiting.values(), key=len)[-1]
        for phase in _GIVE_WAY:
            for one in self._all:
                if one.phase is phase:
                    return one
        return None
