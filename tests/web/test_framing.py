"""What aiohttp's parser is given is what came, however it came, but for trailers."""

import asyncio
from typing import Any

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
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
    framing.message_consumed()
    return message.path, message.raw_headers[1:], await payload.read(), framing.trailers(payload)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
async def test_requests_are_the_same_in_whatever_pieces_they_come(size: int) -> None:
    one, found = framing(), []
    for at in range(0, len(STREAM), size):
        begun, upgraded, tail = one.feed_data(STREAM[at : at + size])
        assert (upgraded, tail) == (False, b"")
        found += begun
    while len(found) < 6:  # what had to wait
        begun, _, _ = one.feed_data(b"")
        assert begun
        found += begun
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
    assert len(one._trailers) == 1
    one.feed_data(GET)
    one.message_consumed()
    assert not one._trailers


async def test_trailers_of_requests_that_wait_are_kept_for_them() -> None:
    one, found = framing(), []
    for number in b"123":
        found += one.feed_data(CHUNKED + b"X-Sum: %c\r\n\r\n" % number)[0]
    for number, message in zip(b"123", found, strict=True):
        assert (await read(one, message))[3] == ((b"X-Sum", b"%c" % number),)


@pytest.mark.parametrize("size", [500, 20_000])
async def test_a_head_that_is_too_long_is_not_waited_for(size: int) -> None:
    """Each of its fields may be as long as aiohttp takes one."""
    one, field = framing(), b"X-A: %s\r\n" % (b"a" * 7_000)
    head = GET[:-2] + 10 * field
    fits = 60_000 // size * size
    for at in range(0, fits, size):
        one.feed_data(head[at : at + size])
    with pytest.raises(HttpProcessingError):
        one.feed_data(head[fits:])


async def test_what_the_parser_takes_for_no_request_is_not_held() -> None:
    """This one it takes for the first half of the preface of HTTP/2, and waits for the other half."""
    one = framing()
    one.feed_data(GET)
    with pytest.raises(HttpProcessingError):
        one.feed_data(b"PRI * HTTP/2.0\r\n\r\n")
    with pytest.raises(HttpProcessingError):
        one.feed_data(bytes(100_000))
    assert not one._held


async def test_requests_behind_bodies_that_nobody_reads_yet_are_found() -> None:
    """The parser of such a body looks at nothing more at first."""
    loop, protocol = asyncio.get_running_loop(), BaseProtocol(asyncio.get_running_loop())
    protocol._parser = parser = HttpRequestParser(protocol, loop, 2**16, max_msg_queue_size=4)
    put = PUT[:-9].replace(b": 9", b": 300000") + bytes(300_000)
    one, data, paths = Framing(parser), (put + GET) * 8, []
    while len(paths) < 16:
        begun, _, _ = one.feed_data(data)
        paths += [message.path for message, _ in begun]
        data = b""
    assert paths == ["/put", "/get"] * 8


async def test_no_more_requests_are_read_at_once_than_can_wait() -> None:
    one, counts, total = framing(), [], 0
    data = GET * 8 + PUT + GET
    while total < 10:
        begun, _, _ = one.feed_data(data)
        counts.append(len(begun))
        total, data = total + len(begun), b""
    assert counts == [4, 4, 2]
