"""An accepted connection from accept to close: where it stands, how long it may stand there, and how it ends.

A connection is in one phase at a time and has one deadline, that of its phase; `listener.py` looks whose has passed.
How bytes are read and written is TLS, in `transport.py`.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from OpenSSL import SSL

from nestor.naming import network_of
from nestor.web.settings import LimitSettings

_LINGER = timedelta(seconds=1)
_DISCARD = 64 * 1024
_PATIENCE = 1.0  # seconds; a request over a slow line takes less
_NOBODY = asyncio.Protocol()  # hears for those who have no protocol (yet, or any more)


class Phase(IntEnum):
    """How far a connection has come; from CLOSING on, nothing more is asked or answered.

    SILENT is one that has not said a word, WAITING one that has and stands in line for a place. QUIET is a session in
    which nothing was asked yet, HEAD one in which a request begins to arrive, BODY one in which the rest of it does.
    BUSY is one whose request is complete and is being answered, CARRIED one whose request and answer are somebody
    else's and take as long as they like, IDLE one that waits for a further request.
    """

    SILENT = 1
    WAITING = 2
    HANDSHAKE = 3
    QUIET = 4
    HEAD = 5
    BODY = 6
    BUSY = 7
    CARRIED = 8
    IDLE = 9
    CLOSING = 10
    LINGERING = 11
    CLOSED = 12


IN_REQUEST = {Phase.HEAD, Phase.BODY, Phase.BUSY, Phase.CARRIED}
_OUR_TURN = {Phase.WAITING, Phase.BUSY, Phase.CARRIED}
_FRESH_START = {Phase.SILENT, Phase.WAITING, Phase.HANDSHAKE, Phase.IDLE, Phase.CLOSING}


@dataclass(frozen=True, slots=True)
class Service:
    """What the connections of one listener have in common.

    `context` is asked for at each handshake; `failed` hears the address and the sentence of a handshake that failed.
    """

    loop: asyncio.AbstractEventLoop
    limits: LimitSettings
    context: Callable[[], SSL.Context]
    protocol: Callable[[], asyncio.Protocol]
    failed: Callable[[str, str], None]


class Connection(asyncio.Transport):
    """A socket, its phase and its deadline.

    `spoke` hears when the first byte is there, and answers with `begin` or `wait`; `left` hears when the socket is
    closed, `trusted` when its peer turns out to speak for others. `since` is when the peer was last left to itself: in
    a loop's seconds, as all times here.
    """

    __slots__ = (
        "_descriptor",
        "_end",
        "_last_request",
        "_left",
        "_protocol",
        "_reading_paused",
        "_requests",
        "_service",
        "_socket",
        "_trusted",
        "address",
        "deadline",
        "is_alone",
        "network",
        "phase",
        "since",
    )

    def __init__(
        self,
        service: Service,
        accepted: socket.socket,
        address: str,
        *,
        spoke: "Callable[[Connection], None]",
        left: "Callable[[Connection], None]",
        trusted: "Callable[[Connection], None]",
    ) -> None:
        self.address = address
        self.network = network_of(address)
        self._service = service
        self._socket = accepted
        self._descriptor = accepted.fileno()  # the event loop looks a number up faster than a socket
        self._left = left
        self._trusted = trusted
        self.is_alone = False
        self._protocol = _NOBODY
        self._reading_paused = False
        self._last_request = False
        self._requests = 0
        self.phase = Phase.SILENT
        self._enter(Phase.SILENT, service.limits.handshake)
        self._end = self.since + service.limits.lifetime.total_seconds()
        service.loop.add_reader(self._descriptor, spoke, self)

    @property
    def is_ending(self) -> bool:
        """Whether this request is the last one here."""
        return self._last_request

    def trust(self) -> None:
        """Let it count by itself, and not among those of its address."""
        if self.phase < Phase.CLOSED:
            self._trusted(self)

    def keeps_waiting(self, now: float, patience: float = _PATIENCE) -> bool:
        """Whether it was the peer's turn for longer than so many seconds."""
        return now - self.since > patience and self.phase not in _OUR_TURN

    def begin(self) -> None:
        """Start to speak, once there is a place for it."""
        raise NotImplementedError

    def wait(self) -> None:
        """Stand in line for a place."""
        self._enter(Phase.WAITING, self._service.limits.wait)
        self._service.loop.remove_reader(self._descriptor)

    def request_started(self) -> None:
        """Tell that the head of a request is complete; its body and its answer have limits of their own."""
        self._enter(Phase.BODY, self._service.limits.request + self._service.limits.answer)
        self._requests += 1
        if self._requests >= self._service.limits.requests_per_connection or self._service.loop.time() > self._end:
            self._last_request = True

    def request_complete(self) -> None:
        """Tell that the body is there: from here on, the connection gives way to nobody."""
        if self.phase is Phase.BODY:
            self.phase = Phase.BUSY

    def carry(self, patience: float) -> None:
        """Tell that something passes, and how many seconds may go by until something passes again."""
        if self.phase in IN_REQUEST:
            self.phase = Phase.CARRIED
            self.deadline = self._service.loop.time() + patience

    def request_finished(self) -> None:
        """Tell that the answer is written; the next request may come."""
        if self.phase in IN_REQUEST:
            self._enter(Phase.IDLE, self._service.limits.idle)
            if self._last_request:
                self.close()

    def finish(self) -> None:
        """Close once the request that arrives, or will after a handshake, is answered; at once where none is."""
        self._last_request = True
        if self.phase in {Phase.QUIET, Phase.IDLE}:
            self.close()
        elif self.phase in {Phase.SILENT, Phase.HANDSHAKE}:
            if self.keeps_waiting(self._service.loop.time()):
                self.close()
            else:
                self._enter(self.phase, timedelta(seconds=_PATIENCE))

    def expire(self) -> None:
        """Act on the deadline that has passed: who was served is told goodbye, who never came that far is cut off."""
        if self.phase in {Phase.SILENT, Phase.HANDSHAKE} and not self._last_request:
            seconds = self._service.limits.handshake.total_seconds()
            self._service.failed(self.address, f"The client did not finish the TLS handshake within {seconds:g} s.")
        if self.phase in {Phase.QUIET, Phase.HEAD, Phase.IDLE}:
            self.close()
        else:
            self.abort()

    def has_gone(self) -> bool:
        """Whether the peer has closed its side, be it that so far only the kernel knows."""
        if self.is_closing():
            return True
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.phase >= Phase.CLOSING

    def abort(self) -> None:
        """Close at once."""
        self._drop(None)

    def _enter(self, phase: Phase, limit: timedelta) -> None:
        now = self._service.loop.time()
        if phase in _FRESH_START or self.phase is Phase.IDLE:
            self.since = now
        self.phase = phase
        self.deadline = now + limit.total_seconds()

    def _linger(self, error: Exception | None) -> None:
        """Send FIN, and throw away what still arrives: a reset would overtake the last answer or alert."""
        if self.phase is Phase.CLOSED:
            return
        self._tell_the_end(error)
        self._enter(Phase.LINGERING, _LINGER)
        self._service.loop.remove_writer(self._descriptor)
        self._service.loop.add_reader(self._descriptor, self._discard)
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(None)

    def _discard(self) -> None:
        try:
            ended = not self._socket.recv(_DISCARD)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._drop(None)

    def _drop(self, error: Exception | None) -> None:
        """Give the socket back; nothing more is said."""
        if self.phase is Phase.CLOSED:
            return
        self._tell_the_end(error)
        self.phase = Phase.CLOSED
        self._service.loop.remove_reader(self._descriptor)
        self._service.loop.remove_writer(self._descriptor)
        self._socket.close()
        self._left(self)

    def _tell_the_end(self, error: Exception | None) -> None:
        if self._protocol is not _NOBODY:
            self._service.loop.call_soon(self._protocol.connection_lost, error)
            self._protocol = _NOBODY
