"""Requests as they arrive, handed to aiohttp's parser one message at a time, and without the trailers behind chunks.

That parser drops trailers, but for the last one: it takes it for the first header field of the next request on the same
connection, which may be somebody else's where a proxy below shares its connections. So it never sees any; who carries
the request on asks for them here. Nor does it look how long a head is as a whole, or how many requests come at once.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from aiohttp import hdrs
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import StreamReader

from nestor.proxy.message import LARGEST_HEAD, Chunks, Garbled, chunk
from nestor.proxy.routing import Headers

_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_NO_SIZE = b"?\r\n"
"""What no parser takes for the size of a chunk."""

MOST_WAITING = 4
"""Requests of a connection that wait for the one that is answered: each may have a body of half a megabyte with it."""

_Fed = tuple[Sequence[tuple[RawRequestMessage, StreamReader]], bool, bytes]


class Framing:
    """Stands before aiohttp's parser, as one of its kind."""

    def __init__(self, parser: HttpRequestParser) -> None:
        self._parser = parser
        self._held = b""
        self._seen = b""
        self._length = 0
        self._due = False
        self._left = 0
        self._chunks: Chunks | None = None
        self._payload: StreamReader | None = None
        self._waiting: deque[StreamReader] = deque()
        self._answered: StreamReader | None = None
        self._trailers: dict[StreamReader, Headers] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def trailers(self, payload: StreamReader) -> Headers:
        """The fields behind a body that has ended; once."""
        return self._trailers.pop(payload, ())

    def message_consumed(self) -> None:
        """Hear that the next request is answered; nobody asks for the trailers of the one before any more."""
        self._parser.message_consumed()
        if self._answered is not None:
            self._trailers.pop(self._answered, None)
        self._answered = self._waiting.popleft() if self._waiting else None

    def feed_data(self, data: bytes) -> _Fed:
        """Take bytes; answers with the requests that began in them. Raises BadHttpMessage and its like."""
        if self._left and not self._held and len(data) <= self._left:
            self._left -= len(data)
            return self._parser.feed_data(data)
        begun: list[tuple[RawRequestMessage, StreamReader]] = []
        rest, self._held = self._held + data, b""
        while True:
            piece, rest = self._next(rest)
            found, upgraded, tail = self._parser.feed_data(piece)
            if self._due and not found:  # before it looks at this head, it ends the request before
                found, upgraded, tail = self._parser.feed_data(b"")
            if self._due:
                self._begin(found)
            begun += found
            if upgraded:
                return begun, True, tail + rest
            if not rest or len(begun) >= MOST_WAITING:
                self._held = rest
                return begun, False, b""

    def _next(self, data: bytes) -> tuple[bytes, bytes]:
        """What the parser is to have at once, and what of it has to wait for what the parser says."""
        if self._left:
            piece, rest = data[: self._left], data[self._left :]
            self._left -= len(piece)
            return piece, rest
        if self._chunks is not None:
            return self._unchunked(self._chunks, data)
        return self._head(data)

    def _head(self, data: bytes) -> tuple[bytes, bytes]:
        """Up to the end of a head; empty lines before one are nothing (RFC 9112, 2.2)."""
        data = data if self._seen else data.lstrip(b"\r\n")
        found = (self._seen + data).find(_END)
        end = found + len(_END) - len(self._seen) if found >= 0 else len(data)
        self._length += end
        if self._length > LARGEST_HEAD:
            raise BadHttpMessage("The head is too long.")
        if found < 0:
            self._seen = (self._seen + data)[1 - len(_END) :]
            return data, b""
        self._seen, self._length, self._due = b"", 0, True
        return data[:end], data[end:]

    def _begin(self, found: Sequence[tuple[RawRequestMessage, StreamReader]]) -> None:
        self._due = False
        if not found:  # the parser waits for what no request has
            raise BadHttpMessage("This is the head of no request.")
        message, payload = found[-1]
        self._payload = payload
        self._waiting.append(payload)
        if message.chunked:
            self._chunks = Chunks()
        else:
            self._left = int(message.headers.get(hdrs.CONTENT_LENGTH, 0))

    def _unchunked(self, chunks: Chunks, data: bytes) -> tuple[bytes, bytes]:
        """The same body in chunks of ours, without what follows the last one."""
        try:
            parts, taken = chunks.feed(memoryview(data))
        except Garbled as doubt:
            if self._payload is not None:
                self._payload.set_exception(ConnectionResetError(str(doubt)))  # for whoever reads it already
            return _NO_SIZE, b""
        if not chunks.ended:
            return chunk(parts), b""
        self._chunks = None
        if chunks.trailers and self._payload is not None:
            self._trailers[self._payload] = chunks.trailers
        return chunk(parts) + _LAST_CHUNK, data[taken:]
