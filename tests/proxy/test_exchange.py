"""One request through real TLS on both sides: what comes out above and below, byte by byte."""

import asyncio
import socket
import ssl

import pytest

from nestor.events import Trouble
from nestor.proxy.dialing import Through
from support import pki
from support.backends import Backend, Line, Talk, answer, backend, held_until
from support.companions import until
from support.pki import CA
from support.proxying import limits_of, proxied, route_to
from support.tunneling import http_proxy

GET = b"GET /x HTTP/1.1\r\nHost: gw.example\r\n%s\r\n"
CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


def saying(*parts: bytes) -> Talk:
    """A server that answers its first request with bytes, and ends."""

    async def talk(line: Line) -> None:
        await line.body(await line.head())
        await line.say(*parts)

    return talk


def parsed(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Status line, fields and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    return first, fields, body


async def asked(root: CA, talk: Talk, request: bytes, *, limits: dict[str, float] | None = None) -> bytes:
    async with backend(talk, root) as behind, proxied(route_to(behind), limits=limits_of(**(limits or {}))) as proxy:
        return await proxy.ask(request)


async def test_a_request_goes_up_as_it_came_but_for_what_is_of_the_connection_and_of_identity(root: CA) -> None:
    request = (
        b"GET /v2/a%2Fb?n=1 HTTP/1.1\r\nHost: gw.example\r\nX-Custom: a\r\nx-custom: b\r\nConnection: close, X-Mine\r\n"
        b"X-Mine: 1\r\nKeep-Alive: 5\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=me\r\nClient-Cert: :AA==:\r\n"
        b"x_ms_edge_clientcert: forged\r\nX-MS-Edge-ClientCert: forged\r\nNestor-Hops: a\r\n"
        b"Authorization: Bearer t\r\n\r\n"
    )
    async with backend(answer, root) as behind, proxied(route_to(behind)) as proxy:
        said = await proxy.ask(request)
    assert parsed(said)[0] == b"HTTP/1.1 200 OK"
    assert behind.heads == [
        b"GET /v2/a%%2Fb?n=1 HTTP/1.1\r\nHost: localhost:%d\r\nX-Custom: a\r\nx-custom: b\r\n"
        b"Authorization: Bearer t\r\nVia: 1.1 nestor\r\n\r\n" % behind.port
    ]


async def test_an_answer_comes_down_as_it_was_said(root: CA) -> None:
    said = (
        b"HTTP/1.1 206 Partial \xe4\r\nContent-Range: bytes 0-3/9\r\nX-A: 1\r\nX-A: 2\r\nKeep-Alive: 5\r\n"
        b"Content-Length: 4\r\n\r\nabcd"
    )
    status, fields, body = parsed(await asked(root, saying(said), GET % CLOSE))
    assert status == b"HTTP/1.1 206 Partial \xe4"
    assert fields == [b"Content-Range: bytes 0-3/9", b"X-A: 1", b"X-A: 2", b"Content-Length: 4", b"Connection: close"]
    assert body == b"abcd"


async def test_chunks_and_the_trailers_behind_them_come_down(root: CA) -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\nHost: no\r\n\r\n"
    )
    async with backend(saying(said), root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(GET % (b"TE: trailers\r\n" + CLOSE))
    assert parsed(answered)[2] == b"5\r\nabcde\r\n0\r\nX-Sum: 7\r\n\r\n"
    assert b"TE: trailers\r\nConnection: TE\r\n" in behind.heads[0]


async def test_an_old_client_gets_no_chunks(root: CA) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    answered = await asked(root, saying(said), b"GET /x HTTP/1.0\r\nHost: gw.example\r\n\r\n")
    assert parsed(answered)[1:] == ([b"Connection: close"], b"abc")


async def test_an_old_client_that_would_stay_is_told_the_end_of_a_body_by_that_of_the_connection(root: CA) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    request = b"GET /x HTTP/1.0\r\nHost: gw.example\r\nConnection: keep-alive\r\n\r\n"
    assert parsed(await asked(root, saying(said), request))[1:] == ([b"Connection: close"], b"abc")


async def test_a_path_keeps_its_bytes(root: CA) -> None:
    async with backend(answer, root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask("GET /\u00e4?\u00e4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert [head.split(b" ")[1] for head in behind.heads] == ["/\u00e4?\u00e4".encode()] or b" 400 " in answered


async def test_a_body_that_lasts_until_the_goodbye_comes_down_in_chunks(root: CA) -> None:
    answered = await asked(root, saying(b"HTTP/1.1 200 OK\r\n\r\n", b"abc", b"de"), GET % CLOSE)
    assert parsed(answered)[2].endswith(b"0\r\n\r\n")
    assert b"abc" in answered


async def test_the_answer_to_head_has_its_length_and_no_body(root: CA) -> None:
    answered = await asked(
        root,
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        b"HEAD /x HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n",
    )
    assert parsed(answered)[1:] == ([b"Content-Length: 9", b"Connection: close"], b"")


async def test_connections_are_used_again_on_both_sides(root: CA) -> None:
    async with backend(answer, root) as behind, proxied(route_to(behind)) as proxy:
        await proxy.ask(GET % b"", GET % b"", GET % CLOSE)
        await proxy.ask(GET % CLOSE)
    assert (len(behind.heads), behind.lines) == (4, 1)


async def test_a_connection_that_was_closed_above_is_not_used_again(root: CA) -> None:
    async with (
        backend(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), root) as behind,
        proxied(route_to(behind)) as proxy,
    ):
        for _ in range(3):
            assert b" 200 " in await proxy.ask(GET % CLOSE), proxy.standing()
            await asyncio.sleep(0.05)
    assert behind.lines == 3


async def test_a_body_in_chunks_goes_up_in_chunks_and_one_of_a_length_with_it(root: CA) -> None:
    bodies: list[bytes] = []

    async def talk(line: Line) -> None:
        bodies.append(await line.body(await line.head()))
        await line.say(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    body = b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    chunked = b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body
    sized = b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        assert b" 201 " in await proxy.ask(chunked)
        assert b" 201 " in await proxy.ask(sized)
    assert bodies == [b"abcd", b"hello"]
    assert b"Transfer-Encoding: chunked" in behind.heads[0]
    assert b"Content-Length: 5" in behind.heads[1]


async def test_whoever_waits_for_100_continue_gets_the_one_from_above(root: CA) -> None:
    async def talk(line: Line) -> None:
        head = await line.head()
        assert b"Expect: 100-continue" in head
        await line.say(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        assert await line.body(head) == b"hello"
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        async with asyncio.timeout(5):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"hello")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_body_that_is_refused_at_once_is_answered_and_not_waited_for(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    request = b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    answered = await asked(root, talk, request)
    assert answered.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", b"502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"502"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"502"),
        (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 0\r\n\r\n", b"502"),
        (b"HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n", b"502"),
        (b"HTTP/2 200\r\n\r\n", b"502"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", b"502"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 70_000 + b"\r\n\r\n", b"502"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", b"502"),
    ],
)
async def test_what_cannot_be_handed_on_is_a_502_that_names_the_route_alone(
    root: CA, said: bytes, status: bytes
) -> None:
    async with backend(saying(said), root) as behind, proxied(route_to(behind)) as proxy:
        answered = await proxy.ask(GET % CLOSE)
    assert answered.startswith(b"HTTP/1.1 " + status)
    assert b"route all" in answered
    assert str(behind.port).encode() not in answered
    [told] = [event for event in proxy.events if isinstance(event, Trouble)]
    assert f"localhost:{behind.port}" in told.sentence
    assert proxy.standing().last_error


async def test_an_answer_that_breaks_off_breaks_off_below(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        line.cut()

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        reader, writer = await proxy.connect()
        writer.write(GET % b"")
        await reader.readuntil(b"\r\n\r\n")
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await reader.readexactly(10)
        writer.transport.abort()
    assert proxy.standing().state == "fails"


async def test_a_target_that_does_not_answer_in_time_is_a_504(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        await asyncio.sleep(5)

    answered = await asked(root, talk, GET % CLOSE, limits={"answer": 0.2})
    assert answered.startswith(b"HTTP/1.1 504 ")


async def test_a_target_that_is_not_there_is_a_502_and_works_again_when_it_is(root: CA) -> None:
    async with backend(answer, root) as behind, proxied(route_to(behind)) as proxy:
        assert behind.server is not None
        behind.server.close()
        for _ in range(2):
            assert (await proxy.ask(GET % CLOSE)).startswith(b"HTTP/1.1 502 ")
        assert proxy.standing().last_error == "nobody listens there. Check routes.all.to, and that it runs"
        async with backend(answer, root) as _:
            pass
        assert sum(isinstance(event, Trouble) for event in proxy.events) == 1
        assert proxy.standing().failed == 2


async def test_whose_error_it_is_can_be_counted_and_no_name_is_told(root: CA) -> None:
    async with backend(answer, root) as behind, proxied(route_to(behind, path="/x"), root=root) as upper:
        assert behind.server is not None
        behind.server.close()
        async with proxied(route_to(Backend(root, upper.port))) as lower:
            for proxy, which in ((upper, b"first"), (lower, b"second")):
                failed, missed = await proxy.ask(GET % CLOSE), await proxy.ask(GET.replace(b"/x", b"/y") % CLOSE)
                assert failed.startswith(b"HTTP/1.1 502 ")
                assert b"The operator of the %s Nestor on the way finds the reason in its log." % which in failed
                assert missed.startswith(b"HTTP/1.1 404 ")
                assert b"No route of the %s Nestor on the way takes this request." % which in missed


@pytest.mark.parametrize("wrong", ["name", "anchor"])
async def test_a_target_whose_certificate_is_not_the_right_one_hears_nothing(root: CA, wrong: str) -> None:
    shown = pki.authority() if wrong == "anchor" else root
    name = "other.example" if wrong == "name" else "localhost"
    async with backend(answer, shown, name=name) as behind:
        behind.root = root
        async with proxied(route_to(behind)) as proxy:
            answered = await proxy.ask(GET % CLOSE)
    assert answered.startswith(b"HTTP/1.1 502 ")
    assert behind.heads == []
    told = proxy.standing().last_error
    assert told.startswith("its certificate is not accepted: ")
    remedy = "Its CA belongs into routes.all.anchors" if wrong == "anchor" else "holds as routes.all.serverName"
    assert told.endswith(remedy)


async def test_a_target_may_go_by_another_name_than_its_host(root: CA) -> None:
    async with (
        backend(answer, root, name="IoTEdgeAPIProxy") as behind,
        proxied(route_to(behind, server_name="IoTEdgeAPIProxy")) as proxy,
    ):
        assert b" 200 " in await proxy.ask(GET % CLOSE)


async def test_a_target_that_has_only_an_ipv6_address_is_reached(root: CA) -> None:
    async with (
        backend(answer, root, name="::1", host="::1") as behind,
        proxied(route_to(behind, host="::1", server_name="::1")) as proxy,
    ):
        assert b" 200 " in await proxy.ask(GET % CLOSE)
    assert b"Host: [::1]:%d\r\n" % behind.port in behind.heads[0]


async def test_an_http_proxy_that_is_not_there_is_told_as_that_one(root: CA) -> None:
    async with backend(answer, root) as behind, proxied(route_to(behind, through=Through("localhost", 1))) as proxy:
        await proxy.ask(GET % CLOSE)
    assert proxy.standing().last_error == "the HTTP proxy localhost: nobody listens there. Check proxy.through"


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_target_may_lie_behind_an_http_proxy(root: CA, refuses: bool) -> None:
    async with (
        backend(answer, root) as behind,
        http_proxy(behind.port, refuses=refuses) as (through, seen),
        proxied(route_to(behind, through=through)) as proxy,
    ):
        answered = await proxy.ask(GET % CLOSE)
    assert answered.startswith(b"HTTP/1.1 502 " if refuses else b"HTTP/1.1 200 ")
    assert proxy.standing().last_error.endswith(" with status 407. Check proxy.through" if refuses else "")
    assert seen[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\nHost: localhost:%d\r\n" % (behind.port, behind.port))
    assert b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in seen[0]
    assert "secret" not in repr(through) + "".join(map(repr, proxy.events))


async def test_a_redirect_to_the_target_becomes_one_to_what_the_client_asked(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        place = b"https://localhost:%d/b?c" % behind.port
        challenge = b'Bearer realm="https://localhost:%d/token",service="r"' % behind.port
        await line.say(
            b"HTTP/1.1 307 T\r\nLocation: "
            + place
            + b"\r\nWWW-Authenticate: "
            + challenge
            + b"\r\nContent-Length: 0\r\n\r\n"
        )

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        fields = parsed(await proxy.ask(GET % CLOSE))[1]
    assert fields[0] == b"Location: https://gw.example/b?c"
    assert fields[1] == b'WWW-Authenticate: Bearer realm="https://gw.example/token",service="r"'


async def test_a_client_that_leaves_ends_its_request_above(root: CA) -> None:
    ended = asyncio.Event()

    async def talk(line: Line) -> None:
        await line.head()
        await line.reader.read()
        ended.set()

    async with backend(talk, root) as behind, proxied(route_to(behind)) as proxy:
        _, writer = await proxy.connect()
        writer.write(GET % b"")
        async with asyncio.timeout(5):
            await until(lambda: behind.heads)
            writer.transport.abort()
            await ended.wait()
        await proxy.front.settled(0)


async def test_what_is_one_too_many_is_a_503_and_the_next_one_is_none(root: CA) -> None:
    go = asyncio.Event()

    async with (
        backend(held_until(go), root) as behind,
        proxied(route_to(behind), limits=limits_of(requests_per_address=1)) as proxy,
    ):
        first = asyncio.ensure_future(proxy.ask(GET % CLOSE))
        await until(lambda: behind.heads)
        assert (await proxy.ask(GET % CLOSE)).startswith(b"HTTP/1.1 503 ")
        go.set()
        assert b" 200 " in await first
        assert b" 200 " in await proxy.ask(GET % CLOSE)


async def test_a_circle_ends(root: CA) -> None:
    fields = b"Via: 1.1 nestor, 1.1 nestor\r\n" * 4 + CLOSE
    assert (await asked(root, answer, GET % fields)).startswith(b"HTTP/1.1 400 ")


async def test_trust_that_changes_counts_for_the_next_request(root: CA) -> None:
    from nestor.upstream.trust import Trust, verifying_context

    good = verifying_context(Trust((root.certificate,)))
    contexts = [good, verifying_context(Trust((pki.authority().certificate,)))]
    async with backend(answer, root) as behind:
        route = route_to(behind)

        async def current() -> ssl.SSLContext:
            return contexts[0]

        object.__setattr__(route.target, "context", current)
        async with proxied(route) as proxy:
            assert b" 200 " in await proxy.ask(GET % CLOSE)
            contexts.pop(0)
            assert b" 502 " in await proxy.ask(GET % CLOSE)


async def test_an_upstream_that_resets_is_a_502(root: CA) -> None:
    async def talk(line: Line) -> None:
        await line.head()
        plain: socket.socket = line.writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.cut()

    assert (await asked(root, talk, GET % CLOSE)).startswith(b"HTTP/1.1 502 ")
