"""The doctor's hands: name lookup, TCP, TLS and HTTP, one connection at a time; it tells what it saw, judges nothing.

Requests are written byte for byte as aziot-certd writes them.
"""

import base64
import http.client
import io
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from nestor.doctor.address import Address
from nestor.doctor.names import address_of
from nestor.doctor.seen import Answer, Door, Ending, Lookup, Place, Question, Reached, Talk
from nestor.doctor.tls import ERRORS, TLS, Line, words_of
from nestor.ports import Clock

CONNECT_TIMEOUT = 5.0
"""Seconds to connect to an address."""

MAX_ANSWER = 256 * 1024
"""Bytes of an answer that are read; no EST answer is so large."""

_CHUNK = 65_536
_TLS_RECORDS = range(20, 24)


class Wire:
    """The way to one server. `patience` is in seconds, for one connection from beginning to end."""

    def __init__(self, address: Address, clock: Clock, patience: float) -> None:
        self._address = address
        self._clock = clock
        self._patience = patience

    def look_up(self) -> Lookup:
        """What the name of the server stands for here."""
        try:
            found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            return Lookup(words=_words(error))
        return Lookup(tuple(dict.fromkeys(Place(family, str(where[0]), int(where[1])) for family, *_, where in found)))

    def reach(self, place: Place) -> Reached:
        """Connect to an address and let go of it."""
        try:
            self._connect(place).close()
        except TimeoutError:
            return Reached(place, Door.SILENT)
        except ConnectionRefusedError:
            return Reached(place, Door.REFUSED)
        except OSError as error:
            return Reached(place, Door.UNREACHABLE, _words(error))
        return Reached(place, Door.OPEN)

    def is_own(self, place: Place) -> bool:
        """Whether an address is one of this machine: then it can be bound."""
        with socket.socket(place.family, socket.SOCK_DGRAM) as trial:
            try:
                trial.bind((place.host, 0))
            except OSError:
                return False
        return True

    def ask(self, place: Place, question: Question, *, secure: bool = True) -> Talk:
        """One connection, one request; in plain HTTP where not `secure`."""
        start = self._clock.monotonic()
        try:
            plain = self._connect(place)
        except OSError as error:
            return Talk(Ending.UNREACHED, self._since(start), words=_words(error))
        with plain:
            line = _Socket(plain, lambda: self._patience - self._since(start))
            if secure:
                return self._ask_over_tls(line, question, start)
            ending, answer, words = self._converse(line, question)
            return Talk(ending, self._since(start), answer=answer, words=words)

    def _ask_over_tls(self, line: "_Socket", question: Question, start: float) -> Talk:
        tls, session, answer = TLS(line), None, None
        try:
            session = tls.shake_hands(question, None if address_of(self._address.host) else self._address.host)
            if question.believe is None or question.believe(session):
                ending, answer, words = self._converse(tls, question)
            else:
                ending, words = Ending.DISBELIEVED, ""
            tls.say_goodbye()
        except TimeoutError:
            ending, words = Ending.SILENT, ""
        except (OSError, EOFError):
            ending, words = Ending.CLOSED, ""
        except ERRORS as error:
            ending, words = Ending.TLS_BROKEN if line.carries_tls else Ending.NO_TLS, words_of(error)
        return Talk(ending, self._since(start), session, tuple(tls.alerts), tls.wanted_certificate, answer, words)

    def _converse(self, line: Line, question: Question) -> tuple[Ending, Answer | None, str]:
        """One request and its answer; errors of TLS go to those who know the session."""
        try:
            line.write(self._head(question) + (question.body or b""))
            response = http.client.HTTPResponse(cast("socket.socket", _Reading(line)), method=question.method)
            response.begin()
            body = response.read(MAX_ANSWER)
        except TimeoutError:
            return Ending.SILENT, None, ""
        except (ConnectionError, EOFError):
            return Ending.CLOSED, None, ""
        except http.client.HTTPException as error:
            return Ending.NO_HTTP, None, type(error).__name__
        return Ending.ANSWERED, Answer(response.status, tuple(response.getheaders()), body, self._clock.now()), ""

    def _head(self, question: Question) -> bytes:
        """The header lines of aziot-certd, in its order: names in lower case, no user-agent, no accept."""
        login, body = question.credential.login, question.body
        lines = [f"{question.method} {question.path} HTTP/1.1"]
        if login is not None:
            lines.append(f"authorization: Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}")
        if body is not None:
            lines += ["content-type: application/pkcs10", "content-transfer-encoding: base64"]
        lines.append(f"host: {self._address.server}")
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _connect(self, place: Place) -> socket.socket:
        plain = socket.socket(place.family, socket.SOCK_STREAM)
        plain.settimeout(min(CONNECT_TIMEOUT, self._patience))
        try:
            plain.connect((place.host, place.port))
        except OSError:
            plain.close()
            raise
        return plain

    def _since(self, start: float) -> float:
        return self._clock.monotonic() - start


class _Socket:
    """A socket whose patience ends; `left` tells the seconds that remain."""

    def __init__(self, plain: socket.socket, left: Callable[[], float]) -> None:
        self._plain = plain
        self._left = left
        self._first = b""

    @property
    def carries_tls(self) -> bool:
        """Whether what came, if anything did, began like TLS (RFC 8446, 5.1)."""
        return not self._first or self._first[0] in _TLS_RECORDS

    def write(self, content: bytes) -> None:
        """Send everything; a server that has closed may have said why before, and that is read next."""
        self._be_patient()
        with suppress(ConnectionError):
            self._plain.sendall(content)

    def read(self) -> bytes:
        """Some bytes; none where the other side has closed."""
        self._be_patient()
        content = self._plain.recv(_CHUNK)
        self._first = self._first or content[:1]
        return content

    def _be_patient(self) -> None:
        left = self._left()
        if left <= 0:
            raise TimeoutError
        self._plain.settimeout(left)


class _Reading(io.RawIOBase):
    """A line as the HTTP parser of the standard library wants it."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        self._rest = b""

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the parser reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, place: object) -> int:
        """Fill as much of a buffer as there is at hand."""
        view = memoryview(place)  # type: ignore[arg-type]  # every buffer
        self._rest = self._rest or self._line.read()
        count = min(len(view), len(self._rest))
        view[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _words(error: OSError | UnicodeError) -> str:
    return getattr(error, "strerror", None) or str(error)
