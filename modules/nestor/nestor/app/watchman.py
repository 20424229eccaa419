"""Threads of their own that watch the process from beside its event loop: they hear signals, and end what hangs.

Nothing that blocks the loop, a thread or a disk keeps a stop from ending in time; and a loop that has not turned for a
minute ends the process, so that whoever started it starts it anew. A killed process loses nothing (design D5).
"""

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from nestor.events import Event, Fatal

STOP_SECONDS = 7.5
"""How long a stop may take in all; IoT Edge kills after ten seconds."""

DEAF_SECONDS = 60.0
"""How long the event loop may not turn before this counts as never again."""

_TICK = 0.5
_LAST_WORDS = 1.0
_HURRY = 0.8
_STOPS = {signal.SIGTERM, signal.SIGINT}
_HEARD = {*_STOPS, signal.SIGHUP}


class Watchman:
    """Watches this process from `start` on; `tell` hears the last words, `end` ends the process at once with a code.

    `lost` is the code of a process that was beyond recovery. Signals are heard by its thread alone, since a blocked
    main thread hears none: so it starts before any other thread.
    """

    def __init__(self, tell: Callable[[Event], None], *, lost: int, end: Callable[[int], object] = os._exit) -> None:
        self._tell = tell
        self._lost = lost
        self._end = end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: Callable[[], None] = _nothing
        self._reload: Callable[[], None] = _nothing
        self._turned = True
        self._deaf = 0.0
        self._deadline: float | None = None
        self._hurried = False

    def start(self) -> None:
        """Take the signals of this process, and watch."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        for name, work in (("signals", self._listen), ("watchman", self._watch)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def attend(self, loop: asyncio.AbstractEventLoop, *, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        """Watch this loop from now on, and have it called at signals: `stop` at each that ends, `reload` at SIGHUP."""
        self._stop, self._reload, self._loop = stop, reload, loop

    def expect_the_end(self) -> None:
        """The process is ending; where it has not ended in time, it is ended."""
        self._deadline = self._deadline or monotonic() + STOP_SECONDS

    def hear(self, number: int) -> None:
        """Act on a signal; one that comes before there is anything to stop ends the process at once."""
        if self._loop is None:
            if number in _STOPS:
                self._end(128 + number)
        elif number == signal.SIGHUP:
            self._call(self._reload)
        else:
            if self._deadline is not None:
                self._hurried = True
                self._deadline = min(self._deadline, monotonic() + _HURRY)
            self.expect_the_end()
            self._call(self._stop)

    def look(self, seconds: float) -> None:
        """Look whether a deadline has passed, and whether the loop has turned since the last look, so long ago.

        Looks are counted, not the time between them: a process that was paused as a whole is not deaf.
        """
        if self._deadline is not None and monotonic() > self._deadline:
            if self._hurried:
                self._end(0)
            self._give_up(f"The stop has taken longer than {STOP_SECONDS:g} s and is cut short")
        if self._loop is None:
            return
        self._deaf = 0.0 if self._turned else self._deaf + seconds
        if self._deaf >= DEAF_SECONDS:
            self._give_up(f"The event loop has not turned for {DEAF_SECONDS:g} s")
        if self._turned:
            self._turned = False
            self._call(self._turn)

    def _turn(self) -> None:
        self._turned = True

    def _call(self, act: Callable[[], None]) -> None:
        """Have the loop do something; a loop that is closed is at its end."""
        assert self._loop is not None  # noqa: S101 -- for mypy: asked before
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:
            self._turned = True
            self.expect_the_end()

    def _give_up(self, sentence: str) -> None:
        """Say why and end. The log may hang on what everything else hangs on: it has a second."""
        told = Fatal(f"{sentence}; the main thread is at {_place_of_main()}.")
        speaker = threading.Thread(target=self._tell, args=(told,), daemon=True)
        speaker.start()
        speaker.join(_LAST_WORDS)
        self._end(self._lost)

    def _listen(self) -> None:
        while True:
            self.hear(signal.sigwait(_HEARD))

    def _watch(self) -> None:
        while True:
            sleep(_TICK)
            self.look(_TICK)


def _nothing() -> None:
    pass


def _place_of_main() -> str:
    """Where in the code the main thread is, for whoever has to find out what blocks it."""
    with suppress(KeyError):
        frame = sys._current_frames()[threading.main_thread().ident or 0]  # noqa: SLF001 -- there is no other way
        (place,) = traceback.extract_stack(frame, limit=1)
        return f"{Path(place.filename).name}:{place.lineno} in {place.name}"
    return "its end"
