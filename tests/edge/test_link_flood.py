"""A flood of direct methods: some are answered, and nothing grows without a bound."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from nestor.app.clock import SystemClock
from nestor.cloud import MethodAnswer
from nestor.edge import link as edge_link
from nestor.edge.identity import EdgeIdentity
from nestor.edge.link import Link
from nestor.edge.told import Called, Told
from support.linked import SHORT, Writer, until

_IDENTITY = EdgeIdentity("hub", "gw3", "nestor", "1", "gw3", "unix:///nowhere", "1")


class _Slow:
    """A connection whose answers take as long as they are held back."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.hear: Callable[[Told], None] = lambda _: None
        self.answered = 0

    def connect(self) -> None: ...

    def listen(self, hear: Callable[[Told], None]) -> None:
        self.hear = hear

    def twin(self) -> object:
        return {"desired": {"$version": 1}, "reported": {}}

    def answer(self, call: Called, answer: MethodAnswer) -> None:
        self.release.wait(0.5)
        self.answered += 1

    def close(self) -> None: ...


async def test_a_flood_of_methods_takes_a_bounded_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, side = _Slow(), Writer()
    monkeypatch.setattr(edge_link, "_create", lambda *_: connection)
    link = Link(_IDENTITY, product="nestor", clock=SystemClock(), tell=lambda _: None, patience=SHORT)
    running = asyncio.ensure_future(link.run(side))
    try:
        await side.until(lambda: link.link.connected)
        before = threading.active_count()
        for _ in range(2000):
            connection.hear(Called(object(), "getStatus", None))
        await asyncio.sleep(0.1)
        assert threading.active_count() < before + 100
        connection.release.set()
        await until(lambda: connection.answered >= 20)
        connection.hear(Called(object(), "getStatus", None))
        answered = connection.answered
        await until(lambda: connection.answered > answered)
    finally:
        running.cancel()
        await asyncio.wait([running])
