"""Who is served, who waits, and who gives way: the caps on connections. Decides only; no socket is touched here.

Each connection counts until it is closed. One that has something to say takes a place among those of its network, or
stands in line for one. Where there is no more room, those give way who keep us waiting, of the networks that hold most
first; where nobody does, the last in the longest line. Nobody who is being answered ever gives way, and nobody pays for
our own slowness: devices that come all at once are no crowd that only sits there.
"""

from collections import Counter, deque
from heapq import nsmallest
from itertools import count

from nestor.web.connection import Connection, Phase

_A_FEW = 32  # one in so many of all: whom to close costs a look at everybody
_HASTE = 0.1  # seconds; what a peer has for its part where everybody else is quick
_TURNS = 4  # of the event loop, that a handshake and its request take


class Places:
    """The connections of a listener, in the order of their arrival. Times are in seconds, as `Connection.since`."""

    def __init__(self, total: int, per_network: int) -> None:
        self._total = total
        self._per_network = per_network
        self._at_once = max(1, total // _A_FEW)
        self._all: dict[Connection, None] = {}
        self._held: Counter[str] = Counter()
        self._begun: dict[str, dict[Connection, None]] = {}
        self._lines: dict[str, deque[Connection]] = {}
        self._lenient = 0.0
        self._alone = count()

    def __len__(self) -> int:
        return len(self._all)

    def all(self) -> list[Connection]:
        """Every connection, the oldest first."""
        return list(self._all)

    def has_room(self, now: float) -> bool:
        """Whether one more can come, be it that another one gives way."""
        fair = self._fair(now)
        return (
            len(self._all) < self._total
            or bool(self._lines)
            or any(one.keeps_waiting(fair, _HASTE) for one in self._all)
        )

    def arrive(self, newcomer: Connection) -> None:
        """Count a connection; it takes a place when it speaks."""
        if len(self._all) >= self._total:
            self.shed(newcomer.since)
        self._all[newcomer] = None
        self._held[newcomer.network] += 1

    def speak(self, one: Connection) -> None:
        """Let a connection begin, or wait behind those of its network."""
        if len(self._begun.get(one.network, ())) < self._per_network:
            self._begin(one)
        else:
            self._lines.setdefault(one.network, deque()).append(one)
            one.wait()

    def excuse(self, one: Connection) -> None:
        """Count a connection by itself from now on: its peer speaks for others, whose number is not its fault."""
        if one.is_alone:
            return
        self.leave(one)
        one.is_alone, one.network = True, f"{one.network} {next(self._alone)}"
        self._all[one] = None
        self._held[one.network] += 1
        self._begun[one.network] = {one: None}

    def leave(self, gone: Connection) -> None:
        """Forget a connection that is closed; the next one of its network begins."""
        network = gone.network
        del self._all[gone]
        self._held[network] -= 1
        begun, line = self._begun.get(network, {}), self._lines.get(network, deque())
        if gone in line:
            line.remove(gone)
        elif gone in begun:
            del begun[gone]
            if line:
                self._begin(line.popleft())
        if not line:
            self._lines.pop(network, None)
        if not begun:
            self._begun.pop(network, None)
        if not self._held[network]:
            del self._held[network]

    def shed(self, now: float) -> None:
        """Close a few of those who keep us waiting, the slow ones first; without any, the last in the longest line."""
        fair = self._fair(now)

        def claim(one: Connection) -> tuple[bool, int, float]:
            return not one.keeps_waiting(fair), -self._held[one.network], one.since

        waited_for = [one for one in self._all if one.keeps_waiting(fair, _HASTE)]
        for one in nsmallest(self._at_once, waited_for, key=claim):
            one.abort()
        if not waited_for and self._lines:
            max(self._lines.values(), key=len)[-1].abort()

    def make_way(self, now: float, late: float) -> None:
        """Where connections wait, close those of their network that are idle, or that keep them and us waiting.

        A place that somebody merely held goes to whoever came last: in a crowd of such, that one is the likeliest to
        be in earnest, and all the others wait on account of the crowd. `late` is how many seconds ago this was due.
        """
        self._lenient = max(self._lenient, now + _TURNS * late)
        for network, line in list(self._lines.items()):
            for one in list(self._begun[network]):
                if line and one.phase is Phase.IDLE:
                    one.abort()
                elif line and one.keeps_waiting(self._fair(now)):
                    line.rotate()
                    one.abort()

    def _fair(self, now: float) -> float:
        """The time that is held against others: an earlier one for as long as it takes to make up for being late."""
        return now - max(0.0, self._lenient - now)

    def _begin(self, one: Connection) -> None:
        self._begun.setdefault(one.network, {})[one] = None
        one.begin()
