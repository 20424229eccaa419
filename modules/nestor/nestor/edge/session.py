"""One client of edgeHub, from its connection to its loss: reads the twin again and again, and hears what is told.

A call that is not answered means that the client is deaf, whatever it says of itself: then, and whenever the connection
ends, the session is lost, and there is no way back but a new client.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from nestor.cloud import Message, MethodAnswer
from nestor.edge.crew import Crew, Overdue
from nestor.edge.desired import UNKNOWN, Apply, Desired, Ignore, Reread, Verdict, without_metadata
from nestor.edge.handover import Handover, Reply
from nestor.edge.patience import Draw, Patience
from nestor.edge.told import Called, Declined, Lost, Missed, Parted, Patched, Told
from nestor.errors import Unavailable

_Result = TypeVar("_Result")
_HINT = "On the host, see `iotedge logs edgeHub`; Nestor connects anew by itself."


class Connection(Protocol):
    """A client of edgeHub, which blocks: `client.Client`."""

    def connect(self) -> None:
        """Connect."""

    def listen(self, hear: Callable[[Told], None]) -> None:
        """Subscribe to everything; `hear` is called from any thread."""

    def twin(self) -> object:
        """The whole twin."""

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties."""

    def send(self, message: Message) -> None:
        """Send a message."""

    def answer(self, call: Called, answer: MethodAnswer) -> None:
        """Answer a direct method."""

    def close(self) -> None:
        """End it."""


class Session:
    """One connection to edgeHub."""

    def __init__(
        self,
        client: Connection,
        *,
        crew: Crew,
        handover: Handover,
        reply: Callable[["Session", Called, MethodAnswer], None],
        patience: Patience,
        draw: Draw,
    ) -> None:
        self._client = client
        self._crew = crew
        self._handover = handover
        self._reply: Reply = partial(reply, self)
        self._patience = patience
        self._draw = draw
        self._loop = asyncio.get_running_loop()
        self._stir = asyncio.Event()
        self._lost: Lost | None = None
        self._desired: Desired = UNKNOWN
        self._first: object = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Connect, subscribe, and hear something of the twin. Raises Unavailable."""
        await self._ask(self._patience.connect, self._client.connect)
        await self._ask(2 * self._patience.call, self._client.listen, self._hear)
        try:
            self._first = await self._read()
        except Declined:  # an answer too: it is there
            self._stir.set()

    async def live(self, successor: Callable[[], Awaitable[_Result]]) -> _Result:
        """Live until it is time for the client that follows, and answer that one. Raises Lost."""
        self._take(self._first, self._desired)
        due = self._loop.time() + self._patience.renew
        pause = self._period()
        while True:
            await self._stirred(min(pause, due - self._loop.time()))
            if self._lost is not None:
                raise self._lost
            if self._loop.time() < due:
                pause = await self._reread()
                continue
            try:
                return await successor()
            except Unavailable:  # the token is still good for a while
                due = self._loop.time() + self._patience.renew_again

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties. Raises Lost or Declined."""
        await self._ask(self._patience.call, self._client.report, patch)

    async def send(self, message: Message) -> None:
        """Send a message. Raises Lost or Declined."""
        await self._ask(self._patience.call, self._client.send, message)

    async def answer(self, call: Called, answer: MethodAnswer) -> None:
        """Answer a direct method that this connection brought. Raises Lost or Declined."""
        try:
            await self._ask(self._patience.call, self._client.answer, call, answer)
        finally:
            self._count(-1)

    def leave_unanswered(self) -> None:
        """Give up a direct method that this connection brought."""
        self._count(-1)

    async def settle(self) -> None:
        """Wait for what is under way, direct methods included, as long as they may take."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.method):
                await self._idle.wait()

    async def close(self) -> None:
        """End the client. Raises Overdue where it does not end."""
        self._lose(Lost("The connection to edgeHub is closed."))
        await self._crew.call(self._patience.close, self._client.close)

    async def _read(self) -> object:
        return await self._ask(self._patience.twin, self._client.twin)

    async def _ask(self, seconds: float, function: Callable[..., _Result], *arguments: Any) -> _Result:
        if self._lost is not None:
            raise self._lost
        self._count(1)
        try:
            return await self._crew.call(seconds, function, *arguments)
        except Overdue as silence:
            deaf = Lost("edgeHub does not answer.", _HINT)
            self._lose(deaf)
            raise deaf from silence
        except Lost as loss:
            self._lose(loss)
            raise
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._under_way += change
        if self._under_way:
            self._idle.clear()
        else:
            self._idle.set()

    async def _stirred(self, seconds: float) -> None:
        """Wait until something happens, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stir.wait()
        self._stir.clear()

    async def _reread(self) -> float:
        """Read the twin; how many seconds later it is to be read again."""
        await asyncio.sleep(self._patience.reread_pause)
        asked_of = self._desired
        try:
            self._take(await self._read(), asked_of)
        except Declined:
            return self._patience.reread_after_refusal
        except Unavailable as loss:
            self._lose(loss if isinstance(loss, Lost) else Lost(loss.sentence, loss.hint))
        return self._period()

    def _period(self) -> float:
        return self._patience.reread * self._draw(0.8, 1.0)

    def _take(self, twin: object, asked_of: Desired) -> None:
        """Take a twin that was read whole; `asked_of` is what was known when it was asked for."""
        if not isinstance(twin, Mapping):
            return
        if isinstance(reported := twin.get("reported"), Mapping):
            self._handover.reported(without_metadata(reported))
        self._judge(*self._desired.read(twin, asked_of))

    def _judge(self, known: Desired, verdict: Verdict) -> None:
        self._desired = known
        match verdict:
            case Apply():
                self._handover.desired(verdict)
            case Reread():
                self._stir.set()
            case Ignore():
                pass

    def _hear(self, told: Told) -> None:
        """Hear what a client tells, on whatever thread: it counts in the loop alone."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._heard, told)

    def _heard(self, told: Told) -> None:
        match told:
            case Parted(reason):
                self._lose(reason)
            case _ if self._lost is not None:
                pass
            case Patched(patch):
                self._judge(*self._desired.hear(patch))
            case Missed():
                self._stir.set()
            case Called():
                self._count(1)
                self._handover.called(told, self._reply)

    def _lose(self, reason: Lost) -> None:
        self._lost = self._lost or reason
        self._stir.set()
