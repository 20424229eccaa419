"""What aiohttp's parser is given is what came, however it came, but for trailers."""

import asyncio
from typing import Any

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from aiohttp.streams import StreamReader

from nestor.proxy.routing import Headers
from nestor.web.framing import Framing

GET = b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n"
PUT = b"PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na\r\n\r\nb\r\n\r\n"[:-1]
CHUNKED = (
    b'PUT /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;a="b"\r\n\r\n\r\n\r\n1\r\nz\r\n0\r\n'
)
STREAM = GET + b"\r\n" + PUT + CHUNKED + b"X-Sum: 1\r\nX-Last: 2\r\n\r\n" + PUT + CHUNKED + b"\r\n" + GET

Request = tuple[str, tuple[tuple[bytes, bytes], ...], bytes, Headers]


def framing() -> Framing:
    loop = asyncio.get_running_loop()
    return Framing(HttpRequestParser(BaseProtocol(loop), loop, 2**16, max_msg_queue_size=4))


async def read(framing: Framing, found: tuple[Any, StreamReader]) -> Request:
    message, payload = found
    return message.path, message.raw_headers[1:], await payload.read(), framing.trailers(payload)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
async def test_requests_are_the_same_in_whatever_pieces_they_come(size: int) -> None:
    one, found = framing(), []
    for at in range(0, len(STREAM), size):
        begun, upgraded, tail = one.feed_data(STREAM[at : at + size])
        assert (upgraded, tail) == (False, b"")
        found += begun
        for _ in begun:
            one.message_consumed()
    while len(found) < 6:  # what had to wait in the parser
        begun, _, _ = one.feed_data(b"")
        assert begun
        found += begun
        for _ in begun:
            one.message_consumed()
    in_chunks, sized = ((b"Transfer-Encoding", b"chunked"),), ((b"Content-Length", b"9"),)
    assert [await read(one, message) for message in found] == [
        ("/get", (), b"", ()),
        ("/put", sized, b"a\r\n\r\nb\r\n\r"[:9], ()),
        ("/chunked", in_chunks, b"\r\n\r\nz", ((b"X-Sum", b"1"), (b"X-Last", b"2"))),
        ("/put", sized, b"a\r\n\r\nb\r\n\r"[:9], ()),
        ("/chunked", in_chunks, b"\r\n\r\nz", ()),
        ("/get", (), b"", ()),
    ]


async def test_what_follows_an_upgrade_is_left_alone() -> None:
    head = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    begun, upgraded, tail = framing().feed_data(GET + head + b"\r\n\r\nbytes")
    assert ([message.path for message, _ in begun], upgraded, tail) == (["/get", "/ws"], True, b"\r\n\r\nbytes")


async def test_trailers_that_nobody_asks_for_are_forgotten() -> None:
    one = framing()
    for _ in range(50):
        one.feed_data(CHUNKED + b"X-Sum: 1\r\n\r\n")
        one.message_consumed()
    assert len(one._trailers) == 32
