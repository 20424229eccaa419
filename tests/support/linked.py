"""A link to the stand-in for the edge, by the real SDK, with somebody at its end who writes down what comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from nestor.app.clock import SystemClock
from nestor.cloud import LinkState, MethodAnswer
from nestor.edge.identity import read_identity
from nestor.edge.link import Link
from nestor.edge.patience import Patience
from nestor.events import Event
from standin.edge import Edge

SHORT = Patience(
    twin=1.0,
    call=1.0,
    connect=5.0,
    reread=60.0,
    reread_after_refusal=0.2,
    reread_pause=0.05,
    method=2.0,
    renew_again=0.3,
    shortest_pause=0.05,
    longest_pause=0.3,
)
"""Nothing takes long, and the twin is read only when there is a reason."""


Answer = Callable[[str, object], MethodAnswer | Awaitable[MethodAnswer]]


class Writer:
    """The module's side: writes down what comes, and answers methods as told."""

    def __init__(self) -> None:
        self.documents: list[tuple[Mapping[str, Any], int]] = []
        self.reports: list[Mapping[str, Any]] = []
        self.links: list[LinkState] = []
        self.calls: list[tuple[str, object]] = []
        self.begun: list[str] = []
        self.at_once = 0
        self.answer: Answer = lambda _method, payload: MethodAnswer(200, {"heard": payload})
        self.slowness = 0.0
        self._now = 0

    async def desired(self, document: Mapping[str, Any], version: int) -> None:
        """Write a desired document down."""
        async with _Alone(self, "desired"):
            self.documents.append((document, version))

    async def reported(self, document: Mapping[str, Any]) -> None:
        """Write a reported document down."""
        async with _Alone(self, "reported"):
            self.reports.append(document)

    async def invoke(self, method: str, payload: object) -> MethodAnswer:
        """Write a call down, and answer it."""
        async with _Alone(self, method):
            self.calls.append((method, payload))
            answer = self.answer(method, payload)
            return answer if isinstance(answer, MethodAnswer) else await answer

    def link_changed(self, state: LinkState) -> None:
        """Write down how the link is."""
        self.links.append(state)

    async def until(self, holds: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until something holds; says what was written down where it never does."""
        try:
            await until(holds, seconds)
        except TimeoutError:
            raise AssertionError(f"in vain: {self.documents[-1:]} {self.links} {self.calls}") from None


async def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something holds that threads bring about. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 -- no event of the loop tells of it
            await asyncio.sleep(0.01)


class _Alone:
    """One call of the module's side: notes whether another was there at the same time."""

    def __init__(self, writer: Writer, name: str) -> None:
        self._writer = writer
        self._name = name

    async def __aenter__(self) -> None:
        self._writer.begun.append(self._name)
        self._writer._now += 1
        self._writer.at_once = max(self._writer.at_once, self._writer._now)
        await asyncio.sleep(self._writer.slowness)

    async def __aexit__(self, *_reason: object) -> None:
        self._writer._now -= 1


@dataclass
class Linked:
    """A link that runs."""

    link: Link
    side: Writer
    events: list[Event] = field(default_factory=list)

    async def connected(self, seconds: float = 15.0) -> None:
        """Wait until edgeHub is reached."""
        await self.side.until(lambda: self.link.link.connected, seconds)

    async def away(self, seconds: float = 15.0) -> None:
        """Wait until it is known that edgeHub is away."""
        await self.side.until(lambda: not self.link.link.connected, seconds)

    async def holds(self, document: Mapping[str, Any], seconds: float = 10.0) -> None:
        """Wait until this is the newest desired document that was handed over."""
        await self.side.until(lambda: bool(self.side.documents) and self.side.documents[-1][0] == document, seconds)


@asynccontextmanager
async def linked(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, patience: Patience = SHORT, product: str = "nestor/test"
) -> AsyncIterator[Linked]:
    """Run a link in the environment of a stand-in."""
    for name, value in edge.environment().items():
        monkeypatch.setenv(name, value)
    identity = read_identity(edge.environment())
    assert identity is not None
    events: list[Event] = []
    link = Link(identity, product=product, clock=SystemClock(), tell=events.append, patience=patience)
    running = Linked(link, Writer(), events)
    task = asyncio.ensure_future(link.run(running.side))
    try:
        yield running
        assert not task.done(), task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)  # noqa: TID251 -- TLS lives now
