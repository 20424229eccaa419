"""The way to edgeHub, kept for as long as the module lives: one client after the other, and a pause between two tries.

A client serves for one connection. When that is lost, deaf or refused, or its token nears its end, the next is made: so
every connection begins with fresh credentials, every subscription, and a reading of the whole twin.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from nestor.cloud import LinkState, Message, MethodAnswer
from nestor.edge.crew import Crew, Overdue
from nestor.edge.handover import Handover
from nestor.edge.identity import EdgeIdentity
from nestor.edge.patience import Draw, Patience
from nestor.edge.session import Connection, Session
from nestor.edge.told import Called
from nestor.errors import Unavailable
from nestor.events import Event, Note, Trouble
from nestor.ports import Clock, ModuleSide

_ABOUT = "edgeHub"
_MOST_ANSWERS = 40
"""On their way at a time, each on a thread: whoever calls oftener than that gets none."""


class Link:
    """The Hub behind the real SDK. `product` is the model id (`dtmi:...`) of this module, or its name."""

    def __init__(
        self,
        identity: EdgeIdentity,
        *,
        product: str,
        clock: Clock,
        tell: Callable[[Event], None],
        patience: Patience | None = None,
        draw: Draw = random.uniform,
    ) -> None:
        self._gateway = identity.gateway
        self._product = product
        self._clock = clock
        self._tell = tell
        self._patience = patience or Patience()
        self._draw = draw
        self._crew = Crew()
        self._session: Session | None = None
        self._opened = asyncio.Event()
        self._link = LinkState(connected=False, since=clock.now(), sentence="edgeHub has not been reached yet.")
        self._reasons: set[str] = set()
        self._answering = 0

    @property
    def link(self) -> LinkState:
        """Whether edgeHub is reached at this moment."""
        return self._link

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties. Raises Unavailable where edgeHub did not take it."""
        await (await self._current()).report(patch)

    async def send(self, message: Message) -> None:
        """Send a message. Raises Unavailable where edgeHub did not take it."""
        await (await self._current()).send(message)

    async def run(self, side: ModuleSide) -> None:
        """Keep the link, and hand over to the module's side what comes, until cancelled."""
        handover = Handover(side, self._tell, self._patience.method)
        try:
            async with asyncio.TaskGroup() as owner:
                owner.create_task(handover.run(), name="edge handover")
                await self._keep(side, handover, owner)
        finally:
            self._link = LinkState(connected=False, since=self._clock.now(), sentence="The link to edgeHub has ended.")

    async def _current(self) -> Session:
        """The session, also where one follows another at this moment. Raises Unavailable."""
        if self._link.connected and self._session is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.call):
                    await self._opened.wait()
        if self._session is None:
            raise Unavailable(f"edgeHub is not connected: {self._link.sentence}", "It is tried again all the time.")
        return self._session

    async def _keep(self, side: ModuleSide, handover: Handover, owner: asyncio.TaskGroup) -> None:
        client: Connection | None = None
        failures = 0
        while True:
            begun = self._clock.monotonic()
            try:
                client = client or await self._create()
                session = self._make_session(client, handover, owner)
                client = await self._serve(session, side)
            except Unavailable as reason:
                client = None
                self._tell_lost(reason, side)
                failures = 0 if self._clock.monotonic() - begun > self._patience.steady else failures + 1
                await asyncio.sleep(self._patience.pause(failures, self._draw))

    async def _create(self) -> Connection:
        """A new client. Raises Unavailable."""
        try:
            return await self._crew.call(self._patience.create, _create, self._product, self._patience.token, late=_end)
        except Overdue as silence:
            _abandon()
            raise Unavailable("The SDK of edgeHub does not get ready: the IoT Edge runtime hangs.") from silence

    def _make_session(self, client: Connection, handover: Handover, owner: asyncio.TaskGroup) -> Session:
        def reply(session: Session, call: Called, answer: MethodAnswer) -> None:
            if self._answering >= _MOST_ANSWERS:
                session.leave_unanswered()
                return
            self._answering += 1
            owner.create_task(self._answer(session, call, answer), name=f"answer {call.name}")

        return Session(
            client, crew=self._crew, handover=handover, reply=reply, patience=self._patience, draw=self._draw
        )

    async def _answer(self, session: Session, call: Called, answer: MethodAnswer) -> None:
        try:
            await session.answer(call, answer)
        except Unavailable as reason:
            self._tell(Trouble("method", f"The answer to {call.name} did not get through: {reason.sentence}"))
        finally:
            self._answering -= 1

    async def _serve(self, session: Session, side: ModuleSide) -> Connection:
        """Serve one session; the client that follows it. Raises Unavailable when it is lost."""
        try:
            await session.open()
            self._session = session
            self._opened.set()
            self._tell_connected(side)
            successor = await session.live(self._create)
            self._leave()
            await session.settle()
            return successor
        finally:
            self._leave()
            await self._close(session)

    def _leave(self) -> None:
        """Ask nothing more of the session."""
        self._session = None
        self._opened.clear()

    async def _close(self, session: Session) -> None:
        try:
            await session.close()
        except Overdue:
            _abandon()
        except Unavailable:
            pass  # too many hang already

    def _tell_connected(self, side: ModuleSide) -> None:
        if self._link.connected:
            return
        self._reasons.clear()
        self._change(LinkState(connected=True, since=self._clock.now()), side)
        self._tell(Note(_ABOUT, f"Connected to edgeHub at {self._gateway}."))

    def _tell_lost(self, reason: Unavailable, side: ModuleSide) -> None:
        """Tell that there is no connection; in one absence each reason is told once."""
        before = self._link
        since = self._clock.now() if before.connected else before.since
        first = before.connected or not self._reasons
        state = LinkState(connected=False, since=since, sentence=reason.sentence)
        if first:
            self._change(state, side)
        else:
            self._link = state
        if reason.sentence not in self._reasons:
            self._reasons.add(reason.sentence)
            self._tell(Trouble(_ABOUT, reason.text, reason.__cause__, passing=True))

    def _change(self, state: LinkState, side: ModuleSide) -> None:
        self._link = state
        side.link_changed(state)


def _create(product: str, token_seconds: int) -> Connection:
    from nestor.edge.client import Client  # noqa: PLC0415 -- the SDK takes a second to import, and 20 MB

    return Client.create(product, token_seconds)


def _end(client: Connection) -> None:
    client.close()


def _abandon() -> None:
    from nestor.edge.client import abandon_threads  # noqa: PLC0415 -- imported already, or about to be

    abandon_threads()
