"""TLS as aziot-certd's OpenSSL speaks it, driven over memory: every alert of either side is seen, nothing is verified.

So the server's certificate can be looked at whatever it is; what a device would say to it is judged afterwards.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from OpenSSL import SSL

from nestor.doctor.seen import Alert, Identity, Question, Session, Version

ERRORS = (SSL.Error,)
"""What a session raises, beside EOFError where the other side has left and OSError of the line."""

_CHUNK = 65_536
_FATAL = 2
_CIPHERS = b"DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK"
_VERSIONS = {Version.TLS_1_2: SSL.TLS1_2_VERSION, Version.TLS_1_3: SSL.TLS1_3_VERSION}

Done = TypeVar("Done")


class Line(Protocol):
    """What carries bytes to the server and back."""

    def write(self, content: bytes) -> None:
        """Send everything."""

    def read(self) -> bytes:
        """Some bytes; none where the other side has closed."""


class TLS:
    """One session over a line; notes alerts, and whether a client certificate was asked for."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.alerts: list[Alert] = []
        self.wanted_certificate = False

    def shake_hands(self, question: Question, server_name: str | None) -> Session:
        """The handshake, as far as this side can tell: on TLS 1.3 a server may still object."""
        self._session = SSL.Connection(_context(question), None)
        self._session.set_info_callback(self._note)
        self._session.set_connect_state()
        if server_name is not None:
            self._session.set_tlsext_host_name(server_name.encode())
        self._drive(self._session.do_handshake)
        chain = self._session.get_peer_cert_chain(as_cryptography=True) or []
        version = Version.TLS_1_3 if self._session.get_protocol_version() == SSL.TLS1_3_VERSION else Version.TLS_1_2
        return Session(version, tuple(chain))

    def write(self, content: bytes) -> None:
        """Send everything."""
        self._drive(lambda: self._session.sendall(content))

    def read(self) -> bytes:
        """Some bytes; none where the other side has closed."""
        try:
            return self._drive(lambda: self._session.recv(_CHUNK))
        except EOFError:
            return b""

    def say_goodbye(self) -> None:
        """Close the session; whether the other side does is not waited for."""
        with suppress(OSError, SSL.Error):
            self._session.shutdown()
            self._flush()

    def _drive(self, step: Callable[[], Done]) -> Done:
        """Take a step as often as it needs something from the other side. Raises EOFError where that has left."""
        while True:
            try:
                return step()
            except SSL.ZeroReturnError:
                raise EOFError from None
            except SSL.WantReadError:
                self._flush()
                content = self._line.read()
                if not content:
                    raise EOFError from None
                self._session.bio_write(content)
            finally:
                self._flush()

    def _flush(self) -> None:
        with suppress(SSL.WantReadError):
            while True:
                self._line.write(self._session.bio_read(_CHUNK))

    def _note(self, session: SSL.Connection, where: int, value: int) -> None:
        if where & SSL.SSL_CB_ALERT:
            sent = bool(where & SSL.SSL_CB_WRITE)
            self.alerts.append(Alert(value & 0xFF, sent=sent, fatal=value >> 8 == _FATAL))
        elif where & SSL.SSL_CB_LOOP and b"read server certificate request" in session.get_state_string():
            self.wanted_certificate = True


def words_of(error: Exception) -> str:
    """OpenSSL's own words: the last part of the first entry of its error queue."""
    match error.args:
        case ([(*_, str(reason)), *_],):
            return reason
        case _:
            return type(error).__name__


def _context(question: Question) -> SSL.Context:
    """The suites and versions of aziot-certd; no session is kept."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(_VERSIONS[question.version or Version.TLS_1_2])
    context.set_max_proto_version(_VERSIONS[question.version or Version.TLS_1_3])
    context.set_cipher_list(_CIPHERS)
    context.set_verify(SSL.VERIFY_NONE)
    if question.credential.identity is not None:
        _present(context, question.credential.identity)
    return context


def _present(context: SSL.Context, identity: Identity) -> None:
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    for link in identity.chain:
        context.add_extra_chain_cert(link)
