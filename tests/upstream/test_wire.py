"""One conversation: bindings, sizes, times, and redirects that are not followed."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestor.errors import Unavailable
from nestor.upstream.faults import BadAnswer, Closed
from nestor.upstream.trust import Trust, verifying_context
from nestor.upstream.wire import MAX_ANSWER, UNHEARD, Progress, Wire, impatient
from support import pki
from support.broken import silence
from support.conversing import ask
from support.device import BASE
from support.stub import Reply, Stub


async def test_a_tls_1_2_session_has_a_binding_that_both_sides_know(stub: Stub, trust: Trust) -> None:
    answer = await ask(stub, trust, linkable=True)
    assert (stub.heard[0].tls, stub.heard[0].tls_unique) == ("TLSv1.2", answer.tls_unique)


async def test_a_tls_1_3_session_has_no_binding(stub: Stub, trust: Trust) -> None:
    answer = await ask(stub, trust)
    assert (stub.heard[0].tls, answer.tls_unique) == ("TLSv1.3", None)


async def test_a_redirect_is_not_followed(stub: Stub, trust: Trust) -> None:
    stub.answers["cacerts"] = Reply(307, headers={"Location": f"{stub.url}{BASE}/elsewhere"})
    assert (await ask(stub, trust)).status == 307
    assert len(stub.heard) == 1


async def test_an_answer_larger_than_any_is_refused(stub: Stub, trust: Trust) -> None:
    stub.answers["cacerts"] = Reply(200, b"A" * MAX_ANSWER)
    assert len((await ask(stub, trust)).body) == MAX_ANSWER
    stub.answers["cacerts"] = Reply(200, b"A" * (MAX_ANSWER + 1))
    with pytest.raises(BadAnswer, match=f"more than {MAX_ANSWER} bytes"):
        await ask(stub, trust)


async def test_nothing_is_decompressed(stub: Stub, trust: Trust) -> None:
    stub.answers["cacerts"] = Reply(200, b"\x1f\x8b-not-gzip", {"Content-Encoding": "gzip"})
    assert (await ask(stub, trust)).body == b"\x1f\x8b-not-gzip"
    assert stub.heard[0].headers["Accept-Encoding"] == "identity"


async def test_cookies_are_not_kept(stub: Stub, trust: Trust) -> None:
    stub.answers["cacerts"] = Reply(200, headers={"Set-Cookie": "session=1"})
    async with Wire("stub", verifying_context(trust)) as wire:
        for _ in range(2):
            await wire.ask("GET", f"{stub.url}{BASE}/cacerts", {})
    assert all("Cookie" not in heard.headers for heard in stub.heard)


async def test_requests_share_one_session(stub: Stub, trust: Trust) -> None:
    async with Wire("stub", verifying_context(trust)) as wire:
        for _ in range(3):
            await wire.ask("GET", f"{stub.url}{BASE}/cacerts", {})
    assert {heard.session for heard in stub.heard} == {stub.heard[0].session}


async def test_a_conversation_that_must_stay_does_not_connect_again(stub: Stub, trust: Trust) -> None:
    stub.answers["cacerts"] = Reply(200, close=True)
    async with Wire("stub", verifying_context(trust)) as wire:
        await wire.ask("GET", f"{stub.url}{BASE}/cacerts", {})
        wire.stay()
        with pytest.raises(Closed, match="closed the TLS session"):
            await wire.ask("POST", f"{stub.url}{BASE}/simpleenroll", {}, b"linked")
    assert [heard.method for heard in stub.heard] == ["GET"]


async def test_a_slow_server_is_not_waited_for(stub: Stub, trust: Trust) -> None:
    woken = threading.Event()

    def sleep(_: object) -> Reply:
        woken.wait(5)
        return Reply()

    stub.answers["cacerts"] = sleep
    try:
        async with Wire("stub", verifying_context(trust), timeout=0.2) as wire:
            with pytest.raises(Unavailable, match="did not answer in time"):
                await wire.ask("GET", f"{stub.url}{BASE}/cacerts", {})
    finally:
        woken.set()


@pytest.mark.parametrize("said", [b"HTTP/1.1 nonsense\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"])
async def test_what_is_not_http_is_told(ca: pki.CA, trust: Trust, tmp_path: Path, said: bytes) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.write(tmp_path, ca.issue("other", alternative_names=["localhost"], server=True)))
    with _saying(said, context) as port:
        async with Wire("stub", verifying_context(trust)) as wire:
            with pytest.raises(BadAnswer, match="does not answer in HTTP"):
                await wire.ask("GET", f"https://localhost:{port}/", {})


async def test_what_is_not_tls_is_told(trust: Trust) -> None:
    with _saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        async with Wire("stub", verifying_context(trust)) as wire:
            with pytest.raises(Unavailable, match="does not speak TLS"):
                await wire.ask("GET", f"https://localhost:{port}/", {})


async def test_a_conversation_is_opened_before_it_is_used(trust: Trust) -> None:
    with pytest.raises(RuntimeError):
        await Wire("stub", verifying_context(trust)).ask("GET", "https://localhost/", {})


@contextlib.contextmanager
def _saying(said: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port where the first to come hears one thing, and then nothing more."""
    with socket.create_server(("localhost", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) if context else connection as heard:
                heard.recv(65_536)
                heard.sendall(said)

        speaker = threading.Thread(target=serve, daemon=True)
        speaker.start()
        yield listener.getsockname()[1]
        speaker.join(5)


def test_a_line_that_was_cut_under_a_request_is_found_out_before_a_device_loses_patience() -> None:
    """tests/layers cuts a real one."""
    with impatient((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 0))) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD * 1000
    assert UNHEARD <= 1.5


async def test_a_line_that_is_silent_from_the_start_is_found_out_within_two_seconds(trust: Trust) -> None:
    with silence() as port:
        begun = time.monotonic()
        async with Wire("stub", verifying_context(trust)) as wire:
            with pytest.raises(Unavailable, match="did not answer in time"):
                await wire.ask("GET", f"https://127.0.0.1:{port}/", {}, progress=(progress := Progress()))
        assert time.monotonic() - begun < 2
    assert not progress.sent
