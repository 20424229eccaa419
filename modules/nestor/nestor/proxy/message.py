"""HTTP/1.1 messages as bytes: what frames a body (RFC 9112, 6), and a reader of answers that takes none in doubt. Pure.

Where two readers might see two messages in the same bytes, neither is handed on: lengths that contradict each other, a
length beside chunks, folded lines, bare line feeds, spaces before a colon.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nestor.proxy.headers import values
from nestor.proxy.routing import Headers

LARGEST_HEAD = 64 * 1024
_MOST_FIELDS = 256
_LONGEST_LINE = 4 * 1024
_LONGEST_TRAILERS = 16 * 1024
_END = b"\r\n\r\n"

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?")
_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE = rb"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?"
_FIELD = re.compile(rb"(" + _NAME + rb"):[ \t]*((?:" + _VALUE + rb")?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")

_SWITCHING, _FIRST_FINAL, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304


class Garbled(Exception):
    """Bytes that are no message which can be handed on; says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How long a body is: so many bytes; or in chunks; or, with neither, until the connection ends."""

    length: int | None = None
    chunked: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no body."""
        return self.length == 0


NOTHING = Framing(0)
TO_THE_END = Framing()


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and fields of an answer."""

    status: int
    reason: bytes
    minor: int
    headers: Headers

    @property
    def is_interim(self) -> bool:
        """Whether another answer follows (RFC 9110, 15.2)."""
        return self.status < _FIRST_FINAL and self.status != _SWITCHING

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can carry another request afterwards (RFC 9112, 9.3)."""
        words = {word.strip().lower() for value in values(self.headers, b"connection") for word in value.split(b",")}
        return b"close" not in words and (self.minor == 1 or b"keep-alive" in words)


def end_of_head(data: bytes | bytearray) -> int:
    """Where the head ends within bytes; -1 where it is not complete. Raises Garbled for one that is too long."""
    end = data.find(_END)
    if (end if end >= 0 else len(data)) > LARGEST_HEAD:
        raise Garbled("the header is too long")
    return end + len(_END) if end >= 0 else -1


def read_head(data: bytes) -> Head:
    """Read a complete head. Raises Garbled."""
    first, *lines = data.removesuffix(_END).split(b"\r\n")
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise Garbled("what came is no HTTP/1 answer")
    return Head(int(status[2]), status[3] or b"", int(status[1]), read_fields(lines))


def read_fields(lines: Sequence[bytes]) -> Headers:
    """Read the lines of a header or trailer section. Raises Garbled."""
    if len(lines) > _MOST_FIELDS:
        raise Garbled("there are too many header fields")
    fields = [_FIELD.fullmatch(line) for line in lines]
    if None in fields:
        raise Garbled("a header field is malformed")
    return tuple((field[1], field[2]) for field in fields if field)


def framing_of_request(headers: Headers) -> Framing:
    """How the body of a request is framed. Raises Garbled where readers may differ about it."""
    return _framing(headers) or NOTHING


def framing_of_answer(head: Head, method: str) -> Framing:
    """How the body of an answer to a method is framed (RFC 9112, 6.3). Raises Garbled where readers may differ."""
    stated = _framing(head.headers)
    if method == "HEAD" or head.status < _FIRST_FINAL or head.status in {_NO_CONTENT, _NOT_MODIFIED}:
        return NOTHING
    return stated or TO_THE_END


def _framing(headers: Headers) -> Framing | None:
    lengths, codings = values(headers, b"content-length"), values(headers, b"transfer-encoding")
    if codings and lengths:
        raise Garbled("it has both Content-Length and Transfer-Encoding")
    if codings:
        if [coding.lower() for coding in codings] != [b"chunked"]:
            raise Garbled("its Transfer-Encoding is another one than chunked")
        return Framing(chunked=True)
    if lengths:
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            raise Garbled("its Content-Length is not one number")
        return Framing(int(lengths[0]))
    return None


class Chunks:
    """Reads a chunked body (RFC 9112, 7.1) piece by piece; afterwards `trailers` holds the fields behind it."""

    def __init__(self) -> None:
        self.ended = False
        self.trailers: Headers = ()
        self._left = 0
        self._line = b""
        self._lines: list[bytes] = []
        self._expects = self._size

    def feed(self, data: memoryview) -> tuple[list[memoryview], int]:
        """What of some bytes is body, and how many of them belong to this body. Raises Garbled."""
        parts: list[memoryview] = []
        at, whole = 0, b""
        while at < len(data) and not self.ended:
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                self._left -= len(part)
                at += len(part)
            else:
                whole = whole or bytes(data)  # once, however many lines there are
                at = self._take_line(whole, at)
        return parts, at

    def _take_line(self, data: bytes, at: int) -> int:
        """Take bytes up to the end of a line, and understand it when it is complete."""
        end = data.find(b"\n", at, at + _LONGEST_LINE) + 1
        seen = data[at : end or at + _LONGEST_LINE]
        line = self._line + seen if self._line else seen
        if len(line) > _LONGEST_LINE:
            raise Garbled("a line between its chunks is too long")
        self._line = b"" if end else line
        if end:
            if not line.endswith(b"\r\n"):
                raise Garbled("a line between its chunks does not end as lines do")
            self._expects(line[:-2])
        return at + len(seen)

    def _size(self, line: bytes) -> None:
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise Garbled("the size of a chunk is no number")
        self._left = int(size[1], 16)
        self._expects = self._after_data if self._left else self._trailer

    def _after_data(self, line: bytes) -> None:
        if line:
            raise Garbled("a chunk is longer than its size says")
        self._expects = self._size

    def _trailer(self, line: bytes) -> None:
        if line:
            self._lines.append(line)
            if len(self._lines) > _MOST_FIELDS or sum(map(len, self._lines)) > _LONGEST_TRAILERS:
                raise Garbled("there is too much behind its chunks")
            return
        self.trailers = read_fields(self._lines)
        self.ended = True


def chunk(parts: Sequence[bytes | memoryview]) -> bytes:
    """Some bytes as one chunk; nothing for none, since that would be the last one."""
    size = sum(map(len, parts))
    return b"".join((b"%x\r\n" % size, *parts, b"\r\n")) if size else b""
