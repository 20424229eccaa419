"""One request on its way up, and its answer on its way down; nothing of either is kept.

Body and answer flow at the same time: whoever waits for `100 Continue`, sends for hours, or is refused before the end
of what it sends, is served as if nobody stood between.
"""

import asyncio
from dataclasses import dataclass, field

from nestor.errors import NestorError
from nestor.proxy import headers
from nestor.proxy.caller import Asked, Caller, Route
from nestor.proxy.line import PORTION, Line, Lost
from nestor.proxy.message import (
    TO_THE_END,
    Chunks,
    Framing,
    Garbled,
    Head,
    chunk,
    end_of_head,
    framing_of_answer,
    read_head,
)
from nestor.proxy.pool import Pool
from nestor.proxy.routing import Headers
from nestor.proxy.settings import ProxyLimits
from nestor.proxy.turns import Turns

_SMALL = 16 * 1024
_MANY = 128
"""Chunks in what is read at a time; where there are more, less is read: each of them takes as long as a large one."""

_MOST_INTERIM = 16
_REPEATABLE = {"GET", "HEAD", "OPTIONS"}
_SWITCHING = 101
_GRACE = 5.0
"""Seconds that one side of a WebSocket has to end after the other."""

_LOOK_AGAIN = 30.0
"""Seconds after which it is looked again whether the certificate that began a WebSocket is still good."""


@dataclass(slots=True)
class Exchange:
    """A request and its answer.

    `begun` says whether the client has heard of the answer, `ends` whether its connection ends with it.
    """

    asked: Asked
    route: Route
    caller: Caller
    limits: ProxyLimits
    pool: Pool
    turns: Turns
    more: Headers = ()
    begun: bool = False
    failed: bool = False
    ends: bool = True
    status: int = 0
    sent: int = 0
    received: int = 0
    answered_after: float = 0.0
    _patience: asyncio.Timeout | None = field(default=None, init=False)

    async def run(self, framing: Framing) -> None:
        """Carry it. Raises Lost, Garbled, TimeoutError for the target's doing, ConnectionError for the client's."""
        head = self._request(framing)
        line = await self._line(fresh=False)
        try:
            await self._converse(line, head, framing)
        except Lost:
            stale = line.reused and not line.heard and not self.begun
            if not stale or not framing.is_empty or self.asked.method not in _REPEATABLE:
                raise
            # It had been closed up there, and nobody has seen the request.
            await self._converse(await self._line(fresh=True), head, framing)

    async def _line(self, *, fresh: bool) -> Line:
        async with asyncio.timeout(self.limits.connect.total_seconds()):
            return await self.pool.take(self.route.target, fresh=fresh)

    def _request(self, framing: Framing) -> bytes:
        """The head of the request as it goes up."""
        asked = self.asked
        given = headers.values(asked.headers, b"host")
        host = given[0] if self.route.keep_host and given else self.route.target.authority.encode()
        fields = list(headers.upward(asked.headers, host=host, more=self.more))
        if framing.chunked:
            fields += [*headers.announcing(asked.headers), (b"Transfer-Encoding", b"chunked")]
        elif framing.length or headers.values(asked.headers, b"content-length"):
            fields.append((b"Content-Length", b"%d" % (framing.length or 0)))
        return headers.written(
            f"{asked.method} {asked.target} HTTP/1.1".encode("utf-8", "surrogateescape"), fields + self._connection()
        )

    def _connection(self) -> list[tuple[bytes, bytes]]:
        """What is said of the connection: that a WebSocket is wanted, or that trailers are welcome."""
        if self.wants_web_socket:
            return [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]
        if headers.takes_trailers(self.asked.headers):
            return [(b"TE", b"trailers"), (b"Connection", b"TE")]
        return []

    @property
    def wants_web_socket(self) -> bool:
        """Whether the client would go on with a WebSocket."""
        upgrades = [value.strip().lower() for value in headers.values(self.asked.headers, b"upgrade")]
        return upgrades == [b"websocket"] and b"upgrade" in headers.named_in_connection(self.asked.headers)

    async def _converse(self, line: Line, head: bytes, framing: Framing) -> None:
        good = False
        try:
            await line.write(head)
            if framing.is_empty:
                good = await self._answer(line)
            else:
                good = await self._answer_while_sending(line, framing)
        finally:
            if good:
                self.pool.give_back(self.route.target, line)
            else:
                line.close()

    async def _answer_while_sending(self, line: Line, framing: Framing) -> bool:
        try:
            async with asyncio.TaskGroup() as both:
                sending = both.create_task(self._send(line, framing))
                good = await self._answer(line)
                complete = sending.done()
                sending.cancel()
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return good and complete and not sending.cancelled() and sending.result()

    async def _send(self, line: Line, framing: Framing) -> bool:
        """Send the body; False where not all of it went: nobody takes it any more, and may have said why."""
        try:
            while piece := await self.caller.read():
                await self.turns.take()
                self.sent += len(piece)
                await line.write(chunk([piece]) if framing.chunked else piece)
                self._wait_anew()
            if framing.chunked:
                fields = headers.trailing(self.caller.trailers(), self.asked.headers)
                await line.write(headers.written(b"0", fields))
        except Lost:
            return False
        return framing.chunked or self.sent == framing.length

    def _wait_anew(self) -> None:
        """The target has heard more: the time for its answer begins again."""
        if self._patience is None or self.begun:
            return
        answer = self.limits.answer.total_seconds()
        due = asyncio.get_running_loop().time() + answer
        if due - (self._patience.when() or 0.0) > answer / 100:  # a timer for each piece costs more than it tells
            self._patience.reschedule(due)

    async def _answer(self, line: Line) -> bool:
        """Hand the answer down; tells whether the line can carry another request."""
        held = bytearray()
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(self.limits.answer.total_seconds()) as self._patience:
            head = await self._final_head(line, held)
        self._patience = None
        self.answered_after = asyncio.get_running_loop().time() - started
        self.status = head.status
        if head.status == _SWITCHING:
            await self._tunnel(line, head, held)
            return False
        self.caller.allow(self.limits.idle.total_seconds())
        framing = framing_of_answer(head, self.asked.method)
        self.begun = True
        response = self._response(head, framing)
        if framing.length is not None:
            await self._length(line, response, held, framing.length)
        else:
            await self.caller.write(response)
            await (self._chunks(line, head, held) if framing.chunked else self._to_the_end(line, held))
        return head.keeps_alive and framing != TO_THE_END and not held

    async def _final_head(self, line: Line, held: bytearray) -> Head:
        """The head of the answer; those before it (RFC 9110, 15.2) are handed down. Leaves in `held` what follows."""
        room, interim = memoryview(bytearray(_SMALL)), 0
        while True:
            end = end_of_head(held)
            if end < 0:
                got = await line.read(room)
                if not got:
                    raise Lost("it closed the connection without an answer")
                held += room[:got]
                continue
            head = read_head(bytes(held[:end]))
            del held[:end]
            if not head.is_interim:
                return head
            interim += 1
            if interim > _MOST_INTERIM:
                raise Garbled("it sends one interim answer after the other")
            if self.asked.minor:
                await self.caller.write(
                    headers.written(_status_line(head), headers.downward(head.headers, target="", asked=""))
                )

    def _response(self, head: Head, framing: Framing) -> bytes:
        """The head of the answer as it goes down."""
        asked = next(iter(headers.values(self.asked.headers, b"host")), b"").decode("latin-1")
        fields = list(headers.downward(head.headers, target=self.route.target.authority, asked=asked))
        lengths = headers.values(head.headers, b"content-length")
        if lengths and not framing.chunked:
            fields.append((b"Content-Length", lengths[0]))
        elif not framing.is_empty and self.asked.minor:
            fields += [*headers.announcing(head.headers), (b"Transfer-Encoding", b"chunked")]
        self.ends = self.asked.last or (framing.length is None and not self.asked.minor)
        if self.ends:
            fields.append((b"Connection", b"close"))
        elif not self.asked.minor:
            fields.append((b"Connection", b"keep-alive"))
        return headers.written(_status_line(head), fields)

    async def _down(self, parts: list[memoryview]) -> None:
        """Hand a piece of a body down whose length nobody knows."""
        self.received += sum(map(len, parts))
        piece = chunk(parts) if self.asked.minor else b"".join(parts)
        if piece:
            await self.caller.write(piece)

    async def _length(self, line: Line, response: bytes, held: bytearray, left: int) -> None:
        first = bytes(held[:left])
        del held[:left]
        left -= len(first)
        self.received += len(first)
        await self.caller.write(response + first)
        room = memoryview(bytearray(min(left, PORTION)))
        while left:
            got = await self._more(line, room[:left])
            left -= got
            self.received += got
            await self.caller.write(room[:got])

    async def _chunks(self, line: Line, head: Head, held: bytearray) -> None:
        chunks = Chunks()
        data, room = memoryview(bytes(held)), memoryview(bytearray(PORTION))
        del held[:]
        while True:
            parts, taken = chunks.feed(data)
            await self._down(parts)
            if chunks.ended:
                held += data[taken:]
                break
            data = room[: await self._more(line, room if len(parts) <= _MANY else room[:_SMALL])]
        if self.asked.minor:
            await self.caller.write(headers.written(b"0", headers.trailing(chunks.trailers, head.headers)))

    async def _to_the_end(self, line: Line, held: bytearray) -> None:
        await self._down([memoryview(bytes(held))])
        room = memoryview(bytearray(PORTION))
        while got := await self._read(line, room):
            await self._down([room[:got]])
        if self.asked.minor:
            await self.caller.write(b"0\r\n\r\n")

    async def _more(self, line: Line, room: memoryview) -> int:
        got = await self._read(line, room)
        if not got:
            raise Lost("it closed the connection in the middle of an answer")
        return got

    async def _read(self, line: Line, room: memoryview) -> int:
        await self.turns.take()
        return await line.read(room)

    async def _tunnel(self, line: Line, head: Head, held: bytearray) -> None:
        """Carry bytes both ways until one side has ended, and the other had its time to do so."""
        if not self.wants_web_socket:
            raise Garbled("it switches protocols, and nobody asked it to")
        self.begun = True
        self.caller.allow(self.limits.web_socket.total_seconds())
        fields = [
            *headers.downward(head.headers, target="", asked=""),
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
        ]
        self.caller.switch()
        await self.caller.write(headers.written(_status_line(head), fields))
        if held:
            self.received += len(held)
            await self.caller.write(bytes(held))
        await self._both_ways(line)

    async def _both_ways(self, line: Line) -> None:
        ways = {asyncio.ensure_future(self._tunnel_up(line)), asyncio.ensure_future(self._tunnel_down(line))}
        withdrawn = asyncio.ensure_future(self._withdrawn())
        try:
            ended, _ = await asyncio.wait({*ways, withdrawn}, return_when=asyncio.FIRST_COMPLETED)
            if withdrawn not in ended:
                await asyncio.wait(ways, timeout=_GRACE)
        finally:
            for one in (*ways, withdrawn):
                one.cancel()
            await asyncio.gather(*ways, withdrawn, return_exceptions=True)

    async def _withdrawn(self) -> None:
        """Wait until the client's certificate has ended or was revoked; for ever, where none was good at the start."""
        was_good = await self._is_good()
        while not was_good or await self._is_good():  # noqa: ASYNC110 -- nobody tells of it
            await asyncio.sleep(_LOOK_AGAIN)

    async def _is_good(self) -> bool:
        """Whether the client shows a certificate that is not known to be bad."""
        try:
            return await self.caller.certificate() is not None
        except NestorError:
            return True

    async def _tunnel_up(self, line: Line) -> None:
        while piece := await self.caller.read():
            await self.turns.take()
            self.sent += len(piece)
            await line.write(piece)

    async def _tunnel_down(self, line: Line) -> None:
        room = memoryview(bytearray(_SMALL))
        while got := await self._read(line, room):
            self.received += got
            await self.caller.write(room[:got])


def _status_line(head: Head) -> bytes:
    return b"HTTP/1.1 %d %s" % (head.status, head.reason)
