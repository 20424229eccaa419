"""Hands what came from the cloud to the module's side: in one loop, one call after the other, and bounded.

Of documents only the newest waits: a storm of patches ends in the last one. A direct method is answered exactly once,
and within its time; one that takes longer goes on, and whoever called is told so.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nestor.cloud import MethodAnswer
from nestor.edge.desired import Apply
from nestor.edge.told import Called
from nestor.events import Event, Trouble
from nestor.ports import ModuleSide

_MOST_CALLS = 20
"""Direct methods that wait; a person has called one or two."""

Reply = Callable[[Called, MethodAnswer], None]
"""Sends an answer, without waiting for it."""


@dataclass(eq=False, slots=True)
class _Call:
    """One direct method, until it is answered."""

    called: Called
    reply: Reply
    open: bool = True

    def answer(self, answer: MethodAnswer) -> None:
        if self.open:
            self.open = False
            self.reply(self.called, answer)


class Handover:
    """What waits for the module's side. `seconds` is the time of a direct method."""

    def __init__(self, side: ModuleSide, tell: Callable[[Event], None], seconds: float) -> None:
        self._side = side
        self._tell = tell
        self._seconds = seconds
        self._queue: deque[Callable[[], Awaitable[None]]] = deque()
        self._wake = asyncio.Event()
        self._desired: Apply | None = None
        self._reported: Mapping[str, Any] | None = None
        self._calls: set[_Call] = set()

    def desired(self, newest: Apply) -> None:
        """A desired document; one that still waits is forgotten for it."""
        if self._desired is None:
            self._put(self._hand_desired)
        self._desired = newest

    def reported(self, newest: Mapping[str, Any]) -> None:
        """The reported document, as the hub holds it; one that still waits is forgotten for it."""
        if self._reported is None:
            self._put(self._hand_reported)
        self._reported = newest

    def called(self, called: Called, reply: Reply) -> None:
        """A direct method, answered by `reply`."""
        call = _Call(called, reply)
        if len(self._calls) >= _MOST_CALLS:
            call.answer(_told(429, f"{_MOST_CALLS} direct methods wait already; call again later."))
            return
        self._calls.add(call)
        self._put(partial(self._invoke, call))
        asyncio.get_running_loop().call_later(self._seconds, self._overdue, call)

    async def run(self) -> None:
        """Hand over what comes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._guarded(self._queue.popleft())

    def _put(self, work: Callable[[], Awaitable[None]]) -> None:
        self._queue.append(work)
        self._wake.set()

    async def _hand_desired(self) -> None:
        newest, self._desired = self._desired, None
        if newest is not None:
            await self._side.desired(newest.document, newest.version)

    async def _hand_reported(self) -> None:
        newest, self._reported = self._reported, None
        if newest is not None:
            await self._side.reported(newest)

    async def _invoke(self, call: _Call) -> None:
        answer = _told(500, f"Nestor failed to do {call.called.name} by a fault of its own; its log has the cause.")
        try:
            if call.open:  # whoever was told that it takes too long will call again
                answer = await self._side.invoke(call.called.name, call.called.payload)
        finally:
            self._calls.discard(call)
            call.answer(answer)

    def _overdue(self, call: _Call) -> None:
        call.answer(
            _told(504, f"{call.called.name} was not done within {self._seconds:g} s. If it was begun, it goes on.")
        )

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do one thing; a bug in it must not end what comes after."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- said in the log; the next reading of the twin hands it over again
            self._tell(Trouble("bug", f"{type(error).__name__} while handling what came from edgeHub.", error))


def _told(status: int, sentence: str) -> MethodAnswer:
    return MethodAnswer(status, {"error": sentence})
