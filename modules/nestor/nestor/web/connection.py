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

from nestor.web.settings import LimitSettings

_LINGER = timedelta(seconds=1)
_DISCARD = 64 * 1024
_NOBODY = asyncio.Protocol()  # hears for those who have no protocol (yet, or any more)


class Phase(IntEnum):
    """How far a connection has come; from CLOSING on, nothing more is asked or answered.

    QUIET is a session in which nothing was asked yet, HEAD one in which a request begins to arrive, IDLE one that waits
    for a further request.
    """

    WAITING = 1
    HANDSHAKE = 2
    QUIET = 3
    HEAD = 4
    BUSY = 5
    IDLE = 6
    CLOSING = 7
    LINGERING = 8
    CLOSED = 9


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
    """A socket, its phase and its deadline; `left` hears when the socket is closed."""

    __slots__ = (
        "_descriptor",
        "_last_request",
        "_left",
        "_protocol",
        "_reading_paused",
        "_service",
        "_socket",
        "address",
        "deadline",
        "phase",
    )

    def __init__(
        self, service: Service, accepted: socket.socket, address: str, left: "Callable[[Connection], None]"
    ) -> None:
        self.address = address
        self._service = service
        self._socket = accepted
        self._descriptor = accepted.fileno()  # the event loop looks a number up faster than a socket
        self._left = left
        self._protocol = _NOBODY
        self._reading_paused = False
        self._last_request = False
        self._enter(Phase.WAITING, service.limits.wait)

    def begin(self) -> None:
        """Start to speak, once there is a place for it."""
        raise NotImplementedError

    def request_started(self) -> None:
        """Tell that the head of a request is complete; its body and its answer have limits of their own."""
        self._enter(Phase.BUSY, self._service.limits.request + self._service.limits.answer)

    def request_finished(self) -> None:
        """Tell that the answer is written; the next request may come."""
        if self.phase is Phase.BUSY:
            self._enter(Phase.IDLE, self._service.limits.idle)
            if self._last_request:
                self.close()

    def finish(self) -> None:
        """Close once the request that has begun to arrive is answered; at once where there is none."""
        self._last_request = True
        if self.phase not in {Phase.HEAD, Phase.BUSY}:
            self.close()

    def expire(self) -> None:
        """Act on the deadline that has passed: who was served is told goodbye, who never came that far is cut off."""
        if self.phase is Phase.HANDSHAKE:
            seconds = self._service.limits.handshake.total_seconds()
            self._service.failed(self.address, f"The client did not finish the TLS handshake within {seconds:g} s.")
        if self.phase in {Phase.QUIET, Phase.HEAD, Phase.IDLE}:
            self.close()
        else:
            self.abort()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self.phase >= Phase.CLOSING

    def abort(self) -> None:
        """Close at once."""
        self._drop(None)

    def _enter(self, phase: Phase, limit: timedelta) -> None:
        self.phase = phase
        self.deadline = self._service.loop.time() + limit.total_seconds()

    def _linger(self, error: Exception | None) -> None:
        """Send FIN, and throw away what still arrives: a reset would overtake the last answer or alert."""
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
