"""Failed handshakes, told in bounded number: an attack must not become a log of itself."""

from collections.abc import Callable

_WINDOW = 60.0
_LINES = 20


class Failures:
    """Tells an address and a sentence; the same pair once a minute, 20 in all, then how many were kept back.

    `tell` hears what is told; `time` tells monotonic seconds.
    """

    def __init__(self, tell: Callable[[str, str], None], time: Callable[[], float]) -> None:
        self._tell = tell
        self._time = time
        self._since = time()
        self._told: set[tuple[str, str]] = set()
        self._kept_back = 0

    def __call__(self, address: str, sentence: str) -> None:
        """Hear of one failure."""
        if self._time() - self._since >= _WINDOW:
            self._turn()
        if (address, sentence) in self._told or len(self._told) >= _LINES:
            self._kept_back += 1
            return
        self._told.add((address, sentence))
        self._tell(address, sentence)

    def _turn(self) -> None:
        if self._kept_back:
            self._tell("several addresses", f"{self._kept_back} more TLS handshakes failed since the last such line.")
        self._since = self._time()
        self._told.clear()
        self._kept_back = 0
