"""Trailers go both ways behind bodies in chunks (RFC 9110, 6.5): those that may, and to the request they belong to."""

import asyncio

import pytest

from nestor.proxy.routing import Headers
from support import pki
from support.backends import Line, Talk, backend
from support.companions import until
from support.pki import CA
from support.proxying import proxied, route_to

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
HEAD = b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"
GET = b"GET /y HTTP/1.1\r\nHost: a\r\n%s\r\n" % CLOSE


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


def noting(seen: list[tuple[bytes, Headers]]) -> Talk:
    """A server that notes body and trailers of each request."""

    async def talk(line: Line) -> None:
        while True:
            line.trailers = ()
            body = await line.body(await line.head())
            seen.append((body, line.trailers))
            await line.say(OK)

    return talk


async def test_trailers_of_a_request_go_up_and_are_announced(root: CA) -> None:
    seen: list[tuple[bytes, Headers]] = []
    async with backend(noting(seen), root) as behind, proxied(route_to(behind)) as proxy:
        await proxy.ask(
            HEAD + b"Trailer: X-Sum, Host\r\n" + CLOSE + b"\r\n",
            b'3;ext="1"\r\nabc\r\n0\r\nX-Sum: 7\r\nx-sum: 8\r\n\r\n',
        )
    assert seen == [(b"abc", ((b"X-Sum", b"7"), (b"x-sum", b"8")))]
    assert b"\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n" in behind.heads[0]


FORBIDDEN = (b"Content-Length: 5", b"Authorization: Basic eA==", b"Client-Cert: :AA==:", b"x-ms-edge-clientcert: a")


@pytest.mark.parametrize("field", [*FORBIDDEN, b"Host: other", b"X_Forwarded_For: 1", b"X-Own: 1", b"Connection: x"])
async def test_a_trailer_that_frames_routes_or_tells_who_asks_goes_no_further(root: CA, field: bytes) -> None:
    seen: list[tuple[bytes, Headers]] = []
    async with backend(noting(seen), root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(
            HEAD + b"Connection: close, x-own\r\n\r\n", b"3\r\nabc\r\n0\r\n" + field + b"\r\nX-Sum: 7\r\n\r\n"
        )
    assert b" 200 " in answered
    assert seen == [(b"abc", ((b"X-Sum", b"7"),))]


async def test_the_trailers_of_one_request_are_no_fields_of_the_next(root: CA) -> None:
    seen: list[tuple[bytes, Headers]] = []
    first = HEAD + b"\r\n1\r\na\r\n0\r\nX-First: 1\r\n\r\n"
    second = HEAD + b"\r\n1\r\nb\r\n0\r\nX-Second: 2\r\n\r\n"
    async with backend(noting(seen), root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(first + second + GET)  # in one breath
        by_byte = first + GET
        answered += await proxy.ask(*(by_byte[at : at + 1] for at in range(len(by_byte))))
    assert answered.count(b" 200 ") == 5
    assert seen == [
        (b"a", ((b"X-First", b"1"),)),
        (b"b", ((b"X-Second", b"2"),)),
        (b"", ()),
        (b"a", ((b"X-First", b"1"),)),
        (b"", ()),
    ]
    assert not any(b"X-" in head for head in behind.heads)


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Set-Cookie: a=b", b"X-Own: 1", b"WWW-Authenticate: Basic"])
async def test_trailers_of_an_answer_come_down_but_for_what_has_to_come_first(root: CA, field: bytes) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await line.say(
            b"HTTP/1.1 200 OK\r\nConnection: x-own\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3\r\nabc\r\n0\r\n" + field + b"\r\nX-Sum: 7\r\n\r\n",
        )

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(GET)
    assert answered.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
    assert b"\r\nTrailer: X-Sum\r\n" in answered


async def test_too_many_trailers_end_the_request(root: CA) -> None:
    seen: list[tuple[bytes, Headers]] = []
    async with backend(noting(seen), root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(HEAD + b"\r\n1\r\na\r\n0\r\n" + (b"X-A: " + b"a" * 1000 + b"\r\n") * 17 + b"\r\n")
        async with asyncio.timeout(5):
            said = await reader.read(12)
        writer.transport.abort()
    assert said in {b"", b"HTTP/1.1 400"}
    assert seen == []


async def test_a_chunk_that_is_none_ends_a_request_that_is_under_way(root: CA) -> None:
    seen: list[tuple[bytes, Headers]] = []
    async with backend(noting(seen), root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(HEAD + b"\r\n1\r\na\r\n")
        async with asyncio.timeout(5):
            await until(lambda: behind.heads)
            writer.write(b"zz\r\n")
            assert b" 200 " not in await reader.read(100)
        writer.transport.abort()
    assert seen == []
