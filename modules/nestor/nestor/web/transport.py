"""TLS on an accepted connection, as an `asyncio.Transport` below aiohttp's request handler; nothing of HTTP.

OpenSSL is handed what has come in portions, never the socket itself: within a step it goes on for as long as there is
something to read, be it messages in records of a byte each, and nobody else would have a turn.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, wraps
from typing import Any

from cryptography import x509
from OpenSSL import SSL

from nestor.errors import Unauthenticated
from nestor.model import ChannelBindings
from nestor.web.connection import Connection, Phase
from nestor.web.room import shared_room
from nestor.web.tls import end_chatter, explain, spoke_plain_http

_PORTION = 2 * 1024  # a handshake in the smallest of records then costs no more of a turn than a usual one
_FIRST_PORTION = 16 * 1024  # of what is only carried; it grows while a portion takes little of a turn
_LARGE_PORTION = 128 * 1024
_SHORT_TURN = 0.002  # seconds; chunks of a byte take a hundred times as long as one of as many bytes
_RECORDS = 128  # in a portion, that one turn is for: more of them come in the next
_RECORD = 16 * 1024  # the most that a TLS record holds (RFC 8446, 5.1)
_HIGH_WATER = 64 * 1024
_EXPORTER_LABEL = b"EXPORTER-Channel-Binding"
_SPEAKS_HTTPS = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks HTTPS.\n"
)


class Peer:
    """The other end of a TLS session; read only when asked for, since most requests need nothing of it."""

    def __init__(self, address: str, session: SSL.Connection) -> None:
        self.address = address
        self._session = session

    @cached_property
    def certificate(self) -> x509.Certificate | None:
        """The certificate whose key the peer holds. Raises Unauthenticated where it cannot be read."""
        with _reading():
            return self._session.get_peer_certificate(as_cryptography=True)

    @cached_property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What the peer sent beside its certificate. Raises Unauthenticated where that cannot be read."""
        with _reading():
            return tuple(self._session.get_peer_cert_chain(as_cryptography=True) or ())

    @cached_property
    def bindings(self) -> ChannelBindings:
        """The channel binding: tls-exporter on TLS 1.3 (RFC 9266), tls-unique on 1.2 (RFC 5929).

        tls-unique is the first Finished message: the client's, since no handshake resumes a session.
        """
        if self._session.get_protocol_version() == SSL.TLS1_3_VERSION:
            return ChannelBindings(tls_exporter=self._session.export_keying_material(_EXPORTER_LABEL, 32, b""))
        return ChannelBindings(tls_unique=self._session.get_peer_finished())

    @property
    def secret_bits(self) -> int:
        """How strong the cipher of the session is."""
        return self._session.get_cipher_bits() or 0


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Unauthenticated("The client's certificate or its chain cannot be read.", "Renew it.") from error


def _tended(step: "Callable[[TLSTransport], None]") -> "Callable[[TLSTransport], None]":
    """Do a step of TLS and send what it has to say; the exception in which it ends says how the connection goes on."""

    @wraps(step)
    def tended(self: "TLSTransport") -> None:
        try:
            step(self)
        except SSL.WantReadError:
            self._send()
        except SSL.ZeroReturnError:
            self._send()
            self._end_of_input()
        except SSL.Error as error:
            self._fail(error)
        else:
            self._send()

    return tended


class TLSTransport(Connection):
    """A connection that speaks TLS; `peer` is there from the end of the handshake on."""

    __slots__ = ("_behind", "_buffer", "_portion", "_session", "_writing_paused", "peer")

    peer: Peer
    _session: SSL.Connection

    def begin(self) -> None:
        """Start the handshake, with the context of this moment."""
        self._session = SSL.Connection(self._service.context(), None)
        self._session.set_accept_state()
        self._behind = False
        self._portion = _FIRST_PORTION
        self._buffer = bytearray()
        self._writing_paused = False
        self._enter(Phase.HANDSHAKE, self._service.limits.handshake)
        self._watch_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell `socket`, `peername`, `sockname`, `ssl_object`, or `sslcontext`, which makes the scheme https."""
        match name:
            case "socket":
                return self._socket
            case "peername":
                return (self.address, 0)
            case "sockname" if self.phase is not Phase.CLOSED:
                return self._socket.getsockname()
            case "ssl_object":
                return self._session
            case "sslcontext":
                return self._session.get_context()
            case _:
                return default

    def close(self) -> None:
        """Write what is buffered, say close_notify, then close."""
        if self.phase < Phase.QUIET:
            self.abort()
        elif not self.is_closing():
            self._enter(Phase.CLOSING, self._service.limits.answer)
            self._service.loop.remove_reader(self._descriptor)
            self._say_goodbye()

    def pause_reading(self) -> None:
        """Let what the peer sends wait in the socket."""
        self._reading_paused = True
        if not self.is_closing():
            self._service.loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Take what the peer sends again, and what OpenSSL still has of it."""
        if self._reading_paused and not self.is_closing():
            self._reading_paused = False
            self._watch_reading()
            self._service.loop.call_soon(self._receive)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write what the socket takes now, and the rest as it can."""
        if self.is_closing():
            return
        self._session.sendall(data)
        self._send()
        if len(self._buffer) > _HIGH_WATER and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def _read(self) -> None:
        """Take a portion of what has come."""
        if self._behind:
            return
        begun = self._service.loop.time()
        try:
            portion = self._socket.recv(self._portion if self.phase is Phase.CARRIED else _PORTION)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(error)
            return
        if not portion:
            self._drop(ConnectionResetError("The peer has ended the connection without a goodbye."))
            return
        self._session.bio_write(portion)
        if self.phase is Phase.HANDSHAKE:
            self._shake_hands()
        else:
            self._receive()
            self._measure(len(portion), self._service.loop.time() - begun)

    def _measure(self, size: int, seconds: float) -> None:
        """Take less the next time where that took long, and more where it did not."""
        if seconds > _SHORT_TURN:
            self._portion = max(_PORTION, self._portion // 2)
        elif size == self._portion:
            self._portion = min(_LARGE_PORTION, 2 * self._portion)

    @_tended
    def _shake_hands(self) -> None:
        self._session.do_handshake()
        end_chatter(self._session)
        self.peer = Peer(self.address, self._session)
        self._enter(Phase.QUIET, self._service.limits.head)
        self._protocol = self._service.protocol()
        self._protocol.connection_made(self)
        self._receive()  # the first request may have come with the end of the handshake

    @_tended
    def _receive(self) -> None:
        self._behind = False
        if self.phase is Phase.CARRIED:
            self._receive_much()
        while not self._reading_paused and not self.is_closing():
            data = self._session.recv(_RECORD)
            if self.phase in {Phase.QUIET, Phase.IDLE}:
                self._enter(Phase.HEAD, self._service.limits.head)
            self._protocol.data_received(data)

    def _receive_much(self) -> None:
        """Hand over at once what has come in many records; more of them than one turn is for come in the next."""
        if self._reading_paused:
            return
        room, records = shared_room(), 0
        try:
            while room.is_free and records < _RECORDS:
                room.take(self._session)
                records += 1
        finally:
            if content := room.emptied():
                self._protocol.data_received(content)
        if not self.is_closing():
            self._behind = True
            self._service.loop.call_soon(self._receive)
            raise SSL.WantReadError

    @_tended
    def _say_goodbye(self) -> None:
        self._session.shutdown()

    def _send(self, plain: bytes = b"") -> None:
        """Send what OpenSSL has to say, behind what still waits to be sent; after it, words for who speaks no TLS."""
        if self.phase >= Phase.LINGERING:
            return
        blocked = bool(self._buffer)
        with suppress(SSL.WantReadError):  # there is no more
            portion = _LARGE_PORTION if self.phase is Phase.CARRIED else _RECORD
            while True:
                self._buffer += self._session.bio_read(portion)
        self._buffer += plain
        if not blocked:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._buffer:
                del self._buffer[: self._socket.send(self._buffer)]
        except BlockingIOError:
            self._watch_writing()
            return
        except OSError as error:
            self._drop(error)
            return
        if self._writing_paused:
            self._writing_paused = False
            self._protocol.resume_writing()
        if self.phase is Phase.CLOSING:
            self._linger(None)

    def _watch_reading(self) -> None:
        if not self._reading_paused:
            self._service.loop.add_reader(self._descriptor, self._read)

    def _watch_writing(self) -> None:
        """Go on when the socket takes more; until then, who does not take is not heard either.

        It is when what they say is carried, for whom they say it to may have to hear it before it says less.
        """
        if self.phase is not Phase.CARRIED:
            self._service.loop.remove_reader(self._descriptor)
        self._service.loop.add_writer(self._descriptor, self._go_on)

    def _go_on(self) -> None:
        self._service.loop.remove_writer(self._descriptor)
        self._flush()
        if not self._buffer and not self.is_closing():
            self._watch_reading()

    def _end_of_input(self) -> None:
        """The peer has said close_notify: it sends no more, but may want its answer."""
        chatter = self._session.get_app_data()
        if isinstance(chatter, str):
            self._service.failed(self.address, chatter)
            self.abort()
            return
        self._protocol.eof_received()
        self.pause_reading()
        self.finish()

    def _fail(self, error: SSL.Error) -> None:
        """TLS itself is broken; OpenSSL has an alert to send that says why."""
        if self.phase is Phase.HANDSHAKE:
            self._service.failed(self.address, explain(self._session, error))
        self._send(_SPEAKS_HTTPS if spoke_plain_http(error) else b"")
        self._linger(ConnectionResetError(str(error)))
