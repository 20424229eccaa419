"""Requests in which two readers may see two: none of them goes up, or what goes up is one."""

import pytest

from support import pki
from support.backends import Line, backend
from support.pki import CA
from support.proxying import proxied, route_to

_SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_EMPTY = b"0\r\n\r\n"


def _post(fields: bytes, body: bytes) -> bytes:
    return b"POST /first HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + body


CORPUS = {
    "length and chunks": _post(b"Content-Length: 6\r\n" + _CHUNKED, _EMPTY + b"G"),
    "chunks and length": _post(_CHUNKED + b"Content-Length: 4\r\n", b"5c\r\n" + _SECOND + _EMPTY),
    "two lengths": _post(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(_SECOND), _SECOND),
    "two equal lengths": _post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"),
    "a list of lengths": _post(b"Content-Length: 0, 33\r\n", _SECOND),
    "a length with a sign": _post(b"Content-Length: +0\r\n", _SECOND),
    "a length in hex": _post(b"Content-Length: 0x10\r\n", _SECOND),
    "a negative length": _post(b"Content-Length: -1\r\n", _SECOND),
    "an endless length": _post(b"Content-Length: 99999999999999999999999\r\n", b""),
    "chunks twice": _post(_CHUNKED + _CHUNKED, _EMPTY),
    "another coding": _post(b"Transfer-Encoding: gzip\r\n", _EMPTY),
    "chunks within another coding": _post(b"Transfer-Encoding: chunked, gzip\r\n", _EMPTY),
    "another coding within chunks": _post(b"Transfer-Encoding: gzip, chunked\r\n", _EMPTY),
    "chunks with a space before the colon": _post(b"Transfer-Encoding : chunked\r\n", _EMPTY + _SECOND),
    "chunks in a folded line": _post(b"Transfer-Encoding:\r\n chunked\r\n", _EMPTY + _SECOND),
    "a folded field": _post(b"X-A: 1\r\n Content-Length: 5\r\n", b""),
    "chunks with a vertical tab": _post(b"Transfer-Encoding: \x0bchunked\r\n", _EMPTY),
    "a bare line feed": b"POST /first HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc",
    "a bare carriage return": _post(b"X-A: 1\rContent-Length: 5\r\n", b""),
    "a null in a field": _post(b"X-A: 1\0\r\n", b""),
    "a chunk size with a sign": _post(_CHUNKED, b"+1\r\na\r\n" + _EMPTY),
    "a chunk size in words": _post(_CHUNKED, b"zz\r\na\r\n" + _EMPTY),
    "a chunk that is longer": _post(_CHUNKED, b"1\r\nabc\r\n" + _EMPTY),
    "a chunk that ends by a line feed": _post(_CHUNKED, b"1\na\n0\n\n"),
    "a path with dots": b"GET /first/../.well-known/est/cacerts HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with escaped dots": b"GET /first/%2e%2E/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with dots before a fragment": b"GET /first/..#x HTTP/1.1\r\nHost: a\r\n\r\n",
    "the path of EST, written otherwise": b"GET //.well-known/%65st/cacerts HTTP/1.1\r\nHost: a\r\n\r\n",
    "the path of health": b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a whole address": b"GET https://other.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "another HTTP": b"GET /first HTTP/3.0\r\nHost: a\r\n\r\n",
    "a web socket with a body": _post(b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n", b"GET /"),
    "a tunnel": b"CONNECT other.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


@pytest.mark.parametrize("name", CORPUS)
async def test_nothing_goes_up_that_can_be_read_in_two_ways(root: CA, name: str) -> None:
    bodies: list[bytes] = []

    async def talk(line: Line) -> None:
        while True:
            bodies.append(await line.body(await line.head()))
            await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(CORPUS[name])
        if writer.can_write_eof():
            writer.write_eof()
        answered = await reader.read(12)
        writer.transport.abort()
    assert answered[:10] in {b"HTTP/1.1 4", b"HTTP/1.0 4", b""}
    assert bodies == []
