"""A sink before a sink: what strangers can cause at will is told in bounded number, so that no attack fills a disk.

Whatever concerns somebody known, or the house itself, passes untouched.
"""

from collections import Counter
from collections.abc import Callable

from nestor.events import Event, Note, Refused, TurnedAway
from nestor.ports import Sink

_WINDOW = 60.0
_LINES = 20
_ADDRESSES = 1000


class Damper:
    """Passes on 20 such events an address and a minute; then how many were kept back. `time` is monotonic seconds."""

    def __init__(self, sink: Sink, time: Callable[[], float]) -> None:
        self._sink = sink
        self._time = time
        self._since = time()
        self._heard: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        address = _stranger(event)
        if address is None or self._has_room(address):
            self._sink(event)

    def _has_room(self, address: str) -> bool:
        if self._time() - self._since >= _WINDOW:
            self._turn()
        if address not in self._heard and len(self._heard) >= _ADDRESSES:
            address = "others"
        self._heard[address] += 1
        return self._heard[address] <= _LINES

    def _turn(self) -> None:
        for address, number in self._heard.items():
            if number > _LINES:
                told = f"{number - _LINES} more refusals for {address} were not told one by one."
                self._sink(Note("kept back", told))
        self._since = self._time()
        self._heard.clear()


def _stranger(event: Event) -> str | None:
    """The address of somebody unknown who was refused; None for every other event."""
    match event:
        case Refused(refusal) if refusal.method is None:
            return refusal.address
        case TurnedAway(address=address):
            return address
        case _:
            return None
