"""Clients that send much and want nothing: what they cost has an end, and others are answered meanwhile."""

import asyncio
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from fcntl import ioctl

import pytest
from OpenSSL import SSL

from nestor.web.connection import Phase
from nestor.web.tls import end_chatter
from nestor.web.transport import TLSTransport
from support.flood import Flooder
from support.front import Front, context_of, front
from support.pki import authority

VERSIONS = pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
QUICK = 0.250
FLOOD = {SSL.TLS1_2_VERSION: 30_000, SSL.TLS1_3_VERSION: 60_000}
"""Messages that keep OpenSSL within one read for half a second."""

_HELLO = b"\x01" + (130_000).to_bytes(3) + bytes(130_000)
_LETTERS = b"".join(b"\x16\x03\x01\x00\x01" + _HELLO[at : at + 1] for at in range(len(_HELLO)))
"""About the longest ClientHello that OpenSSL waits for, in records of a byte each."""


def _unread(plain: socket.socket) -> int:
    return int(struct.unpack("i", ioctl(plain, termios.FIONREAD, bytes(4)))[0])


def _pair(version: int) -> tuple[Flooder, SSL.Connection, socket.socket]:
    """A flooder, and the server's end of its session."""
    with socket.create_server(("localhost", 0)) as listening:
        made: list[Flooder] = []
        client = threading.Thread(target=lambda: made.append(Flooder(listening.getsockname()[1], version)))
        client.start()
        accepted, _ = listening.accept()
        session = SSL.Connection(context_of(authority(), client_anchors=[]), accepted)
        session.set_accept_state()
        session.do_handshake()
        client.join()
    return made[0], session, accepted


@VERSIONS
def test_messages_of_tls_itself_are_answered_sixty_four_times_and_the_rest_stays_unread(version: int) -> None:
    flooder, session, accepted = _pair(version)
    with flooder.socket, accepted:
        end_chatter(session)
        accepted.setblocking(False)
        flooder.socket.sendall(flooder.messages(64))
        with pytest.raises(SSL.WantReadError):
            session.recv(16_384)
        assert session.get_app_data() is None
        flooder.socket.sendall(more := flooder.messages(500))
        with pytest.raises(SSL.ZeroReturnError):
            session.recv(16_384)
        assert "handshake messages" in session.get_app_data()
        assert _unread(accepted) > 0.99 * len(more)


@VERSIONS
async def test_a_good_client_is_answered_at_once_while_another_one_changes_keys_for_ever(version: int) -> None:
    async with front() as served:

        def flood() -> tuple[socket.socket, bytes]:
            flooder = Flooder(served.port, version)
            return flooder.socket, flooder.messages(FLOOD[version])

        await _is_answered_beside(served, flood)
    assert {sentence for _, sentence in served.told} == {
        "The client went on sending handshake messages after its handshake; it was cut off."
    }


async def test_a_good_client_is_answered_at_once_while_others_say_hello_letter_by_letter() -> None:
    async with front() as served:
        await _is_answered_beside(
            served, *4 * [lambda: (socket.create_connection(("localhost", served.port)), _LETTERS)]
        )


async def test_a_turn_takes_no_more_than_two_kilobytes() -> None:
    async with front() as served:
        with socket.create_connection(("localhost", served.port)) as plain:
            plain.sendall(_LETTERS[:6])
            await served.settled(1)
            (connection,) = served.listener._places.all()
            while connection.phase is not Phase.HANDSHAKE:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
            assert isinstance(connection, TLSTransport)
            connection.pause_reading()
            plain.sendall(_LETTERS[6:60_006])
            accepted = connection.get_extra_info("socket")
            while (before := _unread(accepted)) < 50_000:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
            connection._read()
            assert before - _unread(accepted) == 2048


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n"])
async def test_who_speaks_no_tls_and_resets_the_connection_troubles_nobody(words: bytes) -> None:
    raised: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    async with front() as served:
        plain = socket.create_connection(("localhost", served.port))

        class Told(list[tuple[str, str]]):
            def append(self, told: tuple[str, str]) -> None:
                super().append(told)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                plain.close()

        served.told = Told()
        plain.sendall(words)
        async with asyncio.timeout(5):
            while not served.told or served.listener.connections:  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.01)
    assert len(served.told) == 1
    assert raised == []


async def _is_answered_beside(served: Front, *floods: Callable[[], tuple[socket.socket, bytes]]) -> None:
    # Somebody else's work on this machine may delay one round; the flood would delay each.
    assert min([await _slowest_beside(served, floods) for _ in range(3)]) < QUICK


async def _slowest_beside(served: Front, floods: Sequence[Callable[[], tuple[socket.socket, bytes]]]) -> float:
    ready = [await asyncio.to_thread(flood) for flood in floods]
    flooding = [asyncio.ensure_future(asyncio.to_thread(_send, *one)) for one in ready]
    slowest = max([await _time_of_one(served) for _ in range(5)])
    await asyncio.wait(flooding)
    return slowest


async def _time_of_one(served: Front) -> float:
    start = time.monotonic()
    assert await served.get() == "hello"
    return time.monotonic() - start


def _send(plain: socket.socket, content: bytes) -> None:
    with suppress(OSError), plain:
        plain.sendall(content)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65_536):
            pass
