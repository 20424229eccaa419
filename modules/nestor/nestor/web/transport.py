"""TLS on an accepted connection, as an `asyncio.Transport` below aiohttp's request handler; nothing of HTTP.

OpenSSL works straight on the non-blocking socket: each step goes on until the socket has no more to give or to take.
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
from nestor.web.tls import end_chatter, explain, spoke_plain_http

_RECORD = 16 * 1024  # the most that a TLS record holds (RFC 8446, 5.1), so that a read leaves nothing decrypted behind
_RECORDS_AT_ONCE = 4  # then others have their turn
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
    """Do a step of TLS; the exception in which it ends says how the connection goes on."""

    @wraps(step)
    def tended(self: "TLSTransport") -> None:
        try:
            step(self)
        except SSL.WantReadError:
            self._watch_reading()
        except SSL.WantWriteError:
            self._watch_writing()
        except SSL.ZeroReturnError:
            self._end_of_input()
        except SSL.SysCallError as error:
            self._drop(ConnectionResetError(str(error)))
        except SSL.Error as error:
            self._fail(error)

    return tended


class TLSTransport(Connection):
    """A connection that speaks TLS; `peer` is there from the end of the handshake on."""

    __slots__ = ("_buffer", "_session", "_writing_paused", "peer")

    peer: Peer
    _session: SSL.Connection

    def begin(self) -> None:
        """Start the handshake, with the context of this moment."""
        self._session = SSL.Connection(self._service.context(), self._socket)
        self._session.set_accept_state()
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
            self._flush()

    def pause_reading(self) -> None:
        """Let what the peer sends wait in the socket."""
        self._reading_paused = True
        if not self.is_closing():
            self._service.loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """Take what the peer sends again."""
        if self._reading_paused and not self.is_closing():
            self._reading_paused = False
            self._watch_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write what the socket takes now, and the rest as it can."""
        if self.is_closing():
            return
        blocked = bool(self._buffer)
        self._buffer += data
        if not blocked:
            self._flush()
        if len(self._buffer) > _HIGH_WATER and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    @_tended
    def _shake_hands(self) -> None:
        self._session.do_handshake()
        end_chatter(self._session)
        self.peer = Peer(self.address, self._session)
        self._enter(Phase.QUIET, self._service.limits.head)
        self._protocol = self._service.protocol()
        self._watch_reading()
        self._protocol.connection_made(self)

    @_tended
    def _receive(self) -> None:
        for _ in range(_RECORDS_AT_ONCE):
            if self._reading_paused or self.is_closing():
                return
            data = self._session.recv(_RECORD)
            if self.phase in {Phase.QUIET, Phase.IDLE}:
                self._enter(Phase.HEAD, self._service.limits.head)
            self._protocol.data_received(data)

    @_tended
    def _flush(self) -> None:
        while self._buffer:
            sent = self._session.send(self._buffer)
            del self._buffer[:sent]
        if self._writing_paused:
            self._writing_paused = False
            self._protocol.resume_writing()
        if self.phase is Phase.CLOSING:
            self._session.shutdown()
            self._linger(None)

    def _watch_reading(self) -> None:
        if not self._reading_paused:
            step = self._shake_hands if self.phase is Phase.HANDSHAKE else self._receive
            self._service.loop.add_reader(self._descriptor, step)

    def _watch_writing(self) -> None:
        """Go on when the socket takes more; until then, who does not take is not heard either."""
        self._service.loop.remove_reader(self._descriptor)
        self._service.loop.add_writer(self._descriptor, self._go_on)

    def _go_on(self) -> None:
        self._service.loop.remove_writer(self._descriptor)
        if self.phase is Phase.HANDSHAKE:
            self._shake_hands()
            return
        self._flush()
        if not self.is_closing():
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
        """TLS itself is broken; OpenSSL has sent the alert that says why."""
        if self.phase is Phase.HANDSHAKE:
            self._service.failed(self.address, explain(self._session, error))
            if spoke_plain_http(error):
                with suppress(OSError):  # it may have left already
                    self._socket.send(_SPEAKS_HTTPS)
        self._linger(ConnectionResetError(str(error)))
