"""The watchman, look by look: who hangs is ended in time, and a paused process is not taken for a deaf one."""

import asyncio
import signal
import time

import pytest

from nestor.app import watchman
from nestor.app.watchman import DEAF_SECONDS, STOP_SECONDS, Watchman
from nestor.events import Event, Fatal

LOST = 8


class _Watched:
    """A watchman whose process only notes that it would have ended; its clock is turned by hand."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.told: list[Event] = []
        self.ends: list[int] = []
        self.called: list[str] = []
        self.now = 1000.0
        patch.setattr(watchman, "monotonic", lambda: self.now)
        self.man = Watchman(self.told.append, lost=LOST, end=self.ends.append)

    def attend(self) -> None:
        loop = asyncio.get_running_loop()
        self.man.attend(loop, stop=lambda: self.called.append("stop"), reload=lambda: self.called.append("reload"))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> _Watched:
    return _Watched(monkeypatch)


def test_a_signal_before_anything_is_served_ends_at_once(watched: _Watched) -> None:
    watched.man.hear(signal.SIGHUP)
    assert watched.ends == []
    watched.man.hear(signal.SIGTERM)
    assert watched.ends == [128 + 15]


async def test_signals_are_handed_to_the_loop(watched: _Watched) -> None:
    watched.attend()
    for number in (signal.SIGHUP, signal.SIGINT):
        watched.man.hear(number)
    assert watched.called == []
    await asyncio.sleep(0)
    assert watched.called == ["reload", "stop"]


async def test_a_stop_that_takes_too_long_is_cut_short_and_says_where_it_hangs(watched: _Watched) -> None:
    watched.attend()
    watched.man.hear(signal.SIGTERM)
    watched.now += STOP_SECONDS - 0.1
    watched.man.look(0.5)
    assert watched.ends == []
    watched.now += 0.2
    watched.man.look(0.5)
    assert watched.ends == [LOST]
    (told,) = watched.told
    assert isinstance(told, Fatal)
    assert f"longer than {STOP_SECONDS:g} s" in told.sentence
    assert "watchman.py" in told.sentence or "threading.py" in told.sentence


async def test_a_second_signal_leaves_less_than_a_second_and_is_no_fault(watched: _Watched) -> None:
    watched.attend()
    watched.man.hear(signal.SIGTERM)
    watched.man.hear(signal.SIGTERM)
    watched.now += 1.0
    watched.ends.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watched.man, "_give_up", lambda _: None)
        watched.man.look(0.5)
    assert (watched.ends, watched.told) == ([0], [])


async def test_a_loop_that_never_turns_again_ends_the_process(watched: _Watched) -> None:
    watched.attend()
    for _ in range(int(DEAF_SECONDS / 0.5)):
        watched.man.look(0.5)
    assert watched.ends == []
    watched.man.look(0.5)
    assert watched.ends == [LOST]
    (told,) = watched.told
    assert isinstance(told, Fatal)
    assert f"has not turned for {DEAF_SECONDS:g} s" in told.sentence


async def test_a_loop_that_turns_now_and_then_is_left_alone(watched: _Watched) -> None:
    watched.attend()
    for turn in range(500):
        if turn % 100 == 0:
            await asyncio.sleep(0)
        watched.man.look(0.5)
    assert watched.ends == []


async def test_a_process_that_was_paused_as_a_whole_is_not_deaf(watched: _Watched) -> None:
    watched.attend()
    watched.man.look(0.5)
    watched.now += 3600
    watched.man.look(0.5)
    await asyncio.sleep(0)
    watched.man.look(0.5)
    assert watched.ends == []


def test_a_log_that_hangs_too_does_not_keep_the_process(watched: _Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = asyncio.Event()
    monkeypatch.setattr(watchman, "_LAST_WORDS", 0.05)
    watched.man._tell = lambda _: asyncio.run(stuck.wait())
    watched.man.expect_the_end()
    watched.now += STOP_SECONDS + 1
    start = time.monotonic()
    watched.man.look(0.5)
    assert watched.ends == [LOST]
    assert time.monotonic() - start < 2


def test_a_loop_that_is_closed_is_at_its_end_and_has_as_long_as_a_stop(watched: _Watched) -> None:
    async def serve() -> None:
        watched.attend()

    asyncio.run(serve())
    watched.man.look(0.5)
    assert watched.ends == []
    watched.now += STOP_SECONDS + 1
    watched.man.look(0.5)
    assert watched.ends == [LOST]
