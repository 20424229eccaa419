"""TLS on real sockets: bytes both ways, ends of every kind, and what is known of the peer."""

import asyncio
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from aiohttp import web
from OpenSSL import SSL

from nestor.errors import Unauthenticated
from nestor.web.connection import Phase
from nestor.web.transport import Peer, TLSTransport
from support import pki
from support.device import Identity
from support.front import Front, front, greet
from support.wire import GET

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13])
MEGABYTE = 1 << 20


def _post(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size


def _session(served: Front, version: int = SSL.TLS1_3_VERSION, identity: Identity | None = None) -> SSL.Connection:
    """A client of pyOpenSSL, its handshake done; blocking."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    if identity is not None:
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
    plain = socket.create_connection(("localhost", served.port))
    session = SSL.Connection(context, plain)
    session.set_connect_state()
    session.do_handshake()
    return session


def _heard(session: SSL.Connection, size: int = 65_536) -> bytes:
    """All that is said, up to a close_notify; raises where the connection ends without one."""
    heard = bytearray()
    while True:
        try:
            heard += session.recv(size)
        except SSL.ZeroReturnError:
            session.close()
            return bytes(heard)


@VERSIONS
async def test_a_large_body_comes_and_goes_whole(version: ssl.TLSVersion) -> None:
    content = bytes(range(256)) * 4096
    async with front() as served:
        reader, writer = await served.connect(None, version)
        writer.write(_post(len(content)) + content)
        head = await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(content)) == content
        writer.close()
    assert head.startswith(b"HTTP/1.1 200")


async def test_a_slow_reader_gets_everything_and_no_more_is_buffered_than_the_high_water() -> None:
    size, buffered, full = 8 * MEGABYTE, [], threading.Event()

    async def much(request: web.BaseRequest, transport: TLSTransport) -> web.StreamResponse:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // 8192):
            asyncio.get_running_loop().call_later(0.1, full.set)  # runs when the next write has to wait
            await response.write(bytes(8192))
            buffered.append(len(transport._buffer))
        return response

    async with front(cast("Any", much)) as served:

        def read_slowly() -> int:
            session = _session(served)
            session.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert full.wait(10)
            taken = 0
            with suppress(SSL.ZeroReturnError):
                while chunk := session.recv(1000 if taken < 200_000 else 65_536):
                    taken += len(chunk)
            session.close()
            return taken

        assert await asyncio.to_thread(read_slowly) > size
    assert 0 < max(buffered) <= (64 + 64 + 8) * 1024  # aiohttp looks whether to wait after every 64 KiB


async def test_requests_that_come_at_once_are_answered_one_by_one() -> None:
    async def path(request: web.BaseRequest, _: TLSTransport) -> web.Response:
        return web.Response(text=request.raw_path)

    async with front(path) as served:
        reader, writer = await served.connect()
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(20)))
        for number in range(20):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(f"/{number}")) == f"/{number}".encode()
        writer.close()


async def test_a_client_that_has_said_goodbye_still_gets_its_answer() -> None:
    async def slowly(_: web.BaseRequest, __: TLSTransport) -> web.Response:
        await asyncio.sleep(0.1)
        return web.Response(text="late")

    async with front(slowly) as served:

        def ask_and_close() -> bytes:
            session = _session(served)
            session.send(GET)
            session.shutdown()
            return _heard(session)

        assert (await asyncio.to_thread(ask_and_close)).endswith(b"late")
        await served.settled(0)


async def test_a_client_that_says_goodbye_between_requests_is_told_goodbye() -> None:
    async with front() as served:

        def close() -> bytes:
            session = _session(served)
            session.shutdown()
            return _heard(session)

        assert await asyncio.to_thread(close) == b""
        await served.settled(0)


async def test_an_answer_that_ends_the_connection_ends_it_in_good_order() -> None:
    async with front() as served:

        def ask() -> bytes:
            session = _session(served)
            session.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return _heard(session)

        assert (await asyncio.to_thread(ask)).endswith(b"hello")
        await served.settled(0)


async def test_an_answer_is_not_lost_to_a_body_that_nobody_reads() -> None:
    async def too_large(_: web.BaseRequest, __: TLSTransport) -> web.Response:
        return web.Response(status=413, text="too large")

    async with front(too_large) as served:

        def send_all_then_listen() -> bytes:
            session = _session(served)
            session.send(_post(4 * MEGABYTE))
            with suppress(SSL.SysCallError):
                session.sendall(bytes(200_000))
            return _heard(session)

        for _ in range(10):
            heard = await asyncio.to_thread(send_all_then_listen)
            assert heard.startswith(b"HTTP/1.1 413")
            assert heard.endswith(b"too large")


async def test_an_alert_is_not_lost_to_a_request_that_came_with_the_certificate() -> None:
    async with front() as served:
        stranger = pki.authority("Elsewhere").issue("pump-1")

        def ask_at_once() -> None:
            session = _session(served, identity=stranger)
            try:
                with suppress(SSL.SysCallError):
                    session.sendall(GET + bytes(100_000))
                _heard(session)
            finally:
                session.close()

        for _ in range(10):
            with pytest.raises(SSL.Error) as heard:
                await asyncio.to_thread(ask_at_once)
            assert "unknown ca" in str(heard.value)


async def test_plain_http_is_told_that_this_port_speaks_https() -> None:
    async with front() as served:
        reader, writer = await asyncio.open_connection("localhost", served.port)
        writer.write(GET)
        heard = await reader.read()
        writer.close()
    assert heard.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert heard.endswith(b"This port speaks HTTPS.\n")


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_a_client_that_vanishes_in_the_handshake_leaves_nothing(share: float) -> None:
    async with front() as served:
        outgoing = ssl.MemoryBIO()
        session = served.tls().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
        with suppress(ssl.SSLWantReadError):
            session.do_handshake()
        hello = outgoing.read()
        for end in (_close, _reset):
            plain = socket.create_connection(("localhost", served.port))
            plain.send(hello[: int(share * len(hello))] or b"\x16")
            await served.settled(1)
            end(plain)
            await served.settled(0)
    assert served.told == []


async def test_a_client_that_vanishes_in_its_request_gives_its_place_back_at_once() -> None:
    """What was begun for it is finished all the same: a certificate that is being recorded stays recorded."""
    begun, vanished, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(_: web.BaseRequest, __: TLSTransport) -> web.Response:
        begun.set()
        await vanished.wait()
        ended.set()
        return web.Response()

    async with front(slowly) as served:
        session = await asyncio.to_thread(_session, served)
        session.send(GET)
        await begun.wait()
        _reset(cast("socket.socket", session))
        await served.settled(0)
        vanished.set()
        await asyncio.wait_for(ended.wait(), 2)


async def test_garbage_in_the_session_ends_it_with_an_alert() -> None:
    async with front() as served:

        def disturb() -> bytes:
            session = _session(served)
            session._socket.send(b"\x17\x03\x03\x00\x20" + bytes(32))
            try:
                return session._socket.recv(100)
            finally:
                session.close()

        alert = await asyncio.to_thread(disturb)
        await served.settled(0)
    assert alert[:3] == b"\x17\x03\x03"  # encrypted, as all alerts of TLS 1.3 after the handshake are


async def test_new_keys_in_a_session_do_not_disturb_it() -> None:
    """What openssl sends for K is a KeyUpdate that asks for one in return (RFC 8446, 4.6.3)."""
    async with front() as served:
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-crlf", "-connect", f"localhost:{served.port}", "-servername", "localhost"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdin
        assert process.stdout
        await process.stdout.readuntil(b"Cipher is")
        for words in (b"K\n", b"GET / HTTP/1.1\n", b"Host: localhost\nConnection: close\n\n"):
            process.stdin.write(words)
            await process.stdin.drain()
            await asyncio.sleep(0.1)
        heard, _ = await process.communicate()
    assert b"KEYUPDATE" in heard
    assert b"hello" in heard


async def test_aborting_ends_the_connection_at_once() -> None:
    async def abort(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
        transport.abort()
        transport.abort()
        transport.close()
        assert transport.is_closing()
        assert transport.phase is Phase.CLOSED
        return web.Response()

    async with front(abort) as served:
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await served.get()
        assert served.listener.connections == 0


async def test_pausing_lets_the_rest_wait_in_the_socket() -> None:
    async def pause(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
        transport.pause_reading()
        await asyncio.sleep(0.1)
        early = request.content.total_bytes
        transport.resume_reading()
        return web.Response(text=f"{early} {len(await request.read())}")

    async with front(pause) as served:
        reader, writer = await served.connect()
        writer.write(_post(MEGABYTE))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(bytes(MEGABYTE))
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.read(100) == b"0 1048576"
        writer.close()


async def test_what_came_in_one_piece_with_what_made_us_pause_is_not_left_behind() -> None:
    heard: list[bytes] = []

    class Hesitant(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("TLSTransport", transport)

        def data_received(self, data: bytes) -> None:
            heard.append(data)
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(0.02, self.transport.resume_reading)

    async with front() as served:
        served.listener._service = replace(served.listener._service, protocol=Hesitant)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = served.tls().wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await asyncio.open_connection("localhost", served.port)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65_536))
        for record in (b"one", b"two", b"three"):
            client.write(record)
        writer.write(outgoing.read())
        async with asyncio.timeout(5):
            while len(heard) < 3:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
        writer.close()
    assert heard == [b"one", b"two", b"three"]


async def test_what_comes_in_many_records_while_a_carried_request_ends_is_heard() -> None:
    async def carried_first(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
        if request.method == "GET":
            transport.carry(5)
            while not transport._behind:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0)
        return await greet(request, transport)

    size = 5000
    async with front(carried_first) as served:
        reader, writer = await served.connect()
        writer.write(GET + _post(size + 1))
        for _ in range(size):
            writer.write(b"a")  # a record
        await reader.readuntil(b"hello")
        writer.write(b"b")
        async with asyncio.timeout(5):
            await reader.readuntil(b"a" * size + b"b")
        writer.close()


@pytest.mark.parametrize(("seconds_per_byte", "least", "most"), [(0, 100_000, 200_000), (1e-6, 0, 20_000)])
async def test_of_what_is_carried_as_much_is_taken_at_a_time_as_a_short_turn_is_for(
    seconds_per_byte: float, least: int, most: int
) -> None:
    sizes: list[int] = []

    class Carrying(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("TLSTransport", transport)

        def data_received(self, data: bytes) -> None:
            if self.transport.phase is not Phase.CARRIED:
                self.transport.request_started()
                self.transport.carry(5)
            sizes.append(len(data))
            time.sleep(len(data) * seconds_per_byte)

    async with front() as served:
        served.listener._service = replace(served.listener._service, protocol=Carrying)
        _, writer = await served.connect()
        for _ in range(20):
            writer.write(bytes(MEGABYTE // 20))
            await writer.drain()
        async with asyncio.timeout(10):
            while sum(sizes) < MEGABYTE // 20 * 20:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
        writer.transport.abort()
    assert least <= max(sizes) <= most


async def test_the_transport_tells_what_aiohttp_asks() -> None:
    seen: dict[str, Any] = {}

    async def look(request: web.BaseRequest, transport: TLSTransport) -> web.Response:
        names = ("socket", "peername", "sockname", "ssl_object", "sslcontext", "else")
        seen.update({name: transport.get_extra_info(name, "nothing") for name in names})
        seen.update(scheme=request.scheme, remote=request.remote)
        return web.Response()

    async with front(look) as served:
        await served.get()
        assert seen["sslcontext"] is served.context
        assert seen["sockname"][1] == served.port
    assert (seen["scheme"], seen["remote"], seen["else"]) == ("https", seen["peername"][0], "nothing")
    assert isinstance(seen["socket"], socket.socket)
    assert isinstance(seen["ssl_object"], SSL.Connection)


async def test_the_peer_is_its_address_its_certificate_and_what_it_sent_beside_it() -> None:
    seen: list[Peer] = []

    async def look(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
        seen.append(transport.peer)
        return web.Response()

    root = pki.authority()
    middle = root.intermediate("Issuing")
    device = middle.issue("dev-1")
    async with front(look, root=root) as served:
        await served.get(device, V13)
        await served.get(device, V12)
        await served.get()
    for known in seen[:2]:
        assert (known.certificate, known.chain) == (device.certificate, (middle.certificate,))
        assert known.address in {"127.0.0.1", "::1"}
    assert (seen[2].certificate, seen[2].chain) == (None, ())


async def test_the_binding_of_tls_1_2_is_the_tls_unique_of_both_ends() -> None:
    seen: list[Peer] = []

    async def look(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
        seen.append(transport.peer)
        return web.Response()

    async with front(look) as served:
        reader, writer = await served.connect(served.root.issue("dev-1"), V12)
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        unique = writer.get_extra_info("ssl_object").get_channel_binding("tls-unique")
        assert unique
        assert seen[0].bindings.tls_unique == unique
        assert seen[0].bindings.tls_exporter is None
        writer.close()


async def test_the_binding_of_tls_1_3_is_the_exporter_of_both_ends() -> None:
    seen: list[Peer] = []

    async def look(_: web.BaseRequest, transport: TLSTransport) -> web.Response:
        seen.append(transport.peer)
        return web.Response()

    async with front(look) as served:

        def ask() -> bytes:
            session = _session(served)
            session.send(GET)
            session.recv(100)
            exported = session.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
            session.close()
            return exported

        exported = await asyncio.to_thread(ask)
        assert (seen[0].bindings.tls_exporter, seen[0].bindings.tls_unique) == (exported, None)


def test_a_certificate_that_cannot_be_read_is_as_good_as_none() -> None:
    class Unreadable:
        def get_peer_certificate(self, **_: bool) -> None:
            raise ValueError

        def get_peer_cert_chain(self, **_: bool) -> None:
            raise TypeError

    peer = Peer("127.0.0.1", cast("SSL.Connection", Unreadable()))
    with pytest.raises(Unauthenticated, match="cannot be read"):
        _ = peer.certificate
    with pytest.raises(Unauthenticated, match="cannot be read"):
        _ = peer.chain


def _close(plain: socket.socket) -> None:
    plain.close()


def _reset(plain: socket.socket) -> None:
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    plain.close()
