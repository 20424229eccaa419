"""The port: accepts connections, gives them places, and looks whose time is over. What they say is not heard here."""

import asyncio
import errno
import socket
from collections.abc import Callable

from OpenSSL import SSL

from nestor.web.binding import listen_on
from nestor.web.connection import IN_REQUEST, Connection, Service
from nestor.web.failures import Failures
from nestor.web.places import Places
from nestor.web.settings import ListenerSettings
from nestor.web.transport import TLSTransport

_ACCEPTED_AT_ONCE = 64  # then those who are inside have their turn
_LOOK_AROUND = 0.1
_PAUSE = 0.1
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener:
    """The listening sockets and every connection that was accepted from them.

    `context` is asked for at each handshake: to swap what it answers is to swap certificate and trust. `protocol` makes
    the HTTP side of a connection whose handshake succeeded. `failed` hears the address and the reason of handshakes
    that did not, in bounded number.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        *,
        context: Callable[[], SSL.Context],
        protocol: Callable[[], asyncio.Protocol],
        failed: Callable[[str, str], None],
    ) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._service = Service(self._loop, settings.limits, context, protocol, Failures(failed, self._loop.time))
        self._places = Places(settings.limits.connections, settings.limits.connections_per_address)
        self._sockets: list[socket.socket] = []
        self._pause: asyncio.TimerHandle | None = None
        self._round: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens: IP addresses and ports."""
        return [one.getsockname()[:2] for one in self._sockets]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._places)

    @property
    def requests(self) -> int:
        """How many requests are arriving or being answered."""
        return sum(one.phase in IN_REQUEST for one in self._places.all())

    async def start(self) -> None:
        """Listen on every address of the settings. Raises Unavailable, and then listens on none."""
        self._sockets = await listen_on(self._settings.addresses, self._settings.port)
        self._go_on_accepting()
        self._look_around()

    def stop_accepting(self) -> None:
        """Give the port back; the connections stay."""
        self._stop_watching()
        for one in self._sockets:
            one.close()
        self._sockets = []

    async def drain(self, seconds: float) -> None:
        """Close idle connections at once, the others once they are answered, and after so many seconds anyway."""
        for one in self._sockets:
            self._accept(one)  # whoever the kernel let in believes to be connected
        self.stop_accepting()
        for connection in self._places.all():
            connection.finish()
        try:
            async with asyncio.timeout(seconds):
                while self._places:
                    self._gone.clear()
                    await self._gone.wait()
        except TimeoutError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """End everything at once."""
        self.stop_accepting()
        for connection in self._places.all():
            connection.abort()
        if self._round is not None:
            self._round.cancel()

    def _accept(self, listening: socket.socket) -> None:
        for turn in range(_ACCEPTED_AT_ONCE):
            if not self._places.has_room(self._loop.time()):
                self._pause_accepting()  # who is not accepted waits in the kernel's queue
                return
            try:
                accepted, place = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    if turn == 0:  # later in a round, the kernel says so where nobody waits any more, too
                        self._places.shed(self._loop.time())
                    self._pause_accepting()
                    return
                continue  # that one has left already
            self._welcome(accepted, place[0])

    def _welcome(self, accepted: socket.socket, address: str) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        newcomer = TLSTransport(
            self._service, accepted, address, spoke=self._places.speak, left=self._leave, trusted=self._places.excuse
        )
        self._places.arrive(newcomer)

    def _leave(self, gone: Connection) -> None:
        self._places.leave(gone)
        self._gone.set()

    def _pause_accepting(self) -> None:
        self._stop_watching()
        self._pause = self._loop.call_later(_PAUSE, self._go_on_accepting)

    def _go_on_accepting(self) -> None:
        for one in self._sockets:
            self._loop.add_reader(one, self._accept, one)

    def _stop_watching(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        for one in self._sockets:
            self._loop.remove_reader(one)

    def _look_around(self) -> None:
        """Send away whose deadline has passed: one look at all of them costs less than a timer for each."""
        now = self._loop.time()
        for connection in self._places.all():
            if connection.deadline < now:
                connection.expire()
        self._places.make_way(now, late=now - self._round.when() if self._round else 0.0)
        self._round = self._loop.call_later(_LOOK_AROUND, self._look_around)
