"""The operations port: little HTTP, within seconds, for a few at a time; the pages are somebody else's."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest

from nestor.errors import Unavailable
from nestor.web import operations
from nestor.web.operations import Page, operations_port
from nestor.web.settings import OperationsSettings

LARGE = b"x" * 1_000_000


async def _pages(path: str, address: str) -> Page | None:
    match path:
        case "/where":
            return Page(f"{threading.current_thread().name} {address}".encode())
        case "/large":
            return Page(LARGE, "text/x")
        case "/ill":
            return Page(b"ill", status=HTTPStatus.SERVICE_UNAVAILABLE)
        case _:
            return None


@asynccontextmanager
async def _port() -> AsyncIterator[int]:
    settings = OperationsSettings.model_validate_json('{"addresses": "127.0.0.1", "port": 0}')
    async with operations_port(settings, _pages) as places:
        yield places[0][1]


async def _say(port: int, words: bytes) -> bytes:
    """What is answered to words; nothing where the connection is cut off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(words)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_page_is_served_from_a_thread_of_its_own_and_knows_who_asks() -> None:
    async with _port() as port:
        answer = await _say(port, b"GET /where?x=y HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"operations 127.0.0.1"
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 20\r\n" in head
    assert b"Server" not in head


async def test_head_is_told_the_length_and_nothing_more() -> None:
    async with _port() as port:
        answer = await _say(port, b"HEAD /large HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 1000000\r\n" in answer


async def test_a_large_page_arrives_whole() -> None:
    async with _port() as port:
        assert (await _say(port, b"GET /large HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n" + LARGE)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"GET /ill HTTP/1.1\r\n\r\n", b"503"),
        (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /where HTTP/1.1\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00 \r\n\r\n", b"400"),
        (b"GET /where\r\n\r\n", b"400"),
    ],
)
async def test_what_is_no_page_or_no_request_is_answered_as_such(words: bytes, status: bytes) -> None:
    async with _port() as port:
        answer = await _say(port, words)
    assert answer.split(b" ")[1] == status
    assert (b"\r\nAllow: GET, HEAD\r\n" in answer) == (status == b"405")


async def test_heads_without_an_end_and_slow_ones_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_SECONDS", 0.2)
    async with _port() as port:
        assert await _say(port, b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 10_000) == b""
        assert await _say(port, b"GET / HTTP/1.1\r\n") == b""


async def test_one_too_many_is_turned_away_and_the_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_MOST_OF_ONE", 2)
    async with _port() as port:
        first, second = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert await _say(port, b"GET /where HTTP/1.1\r\n\r\n") == b""
        for reader, writer in (first, second):
            writer.write(b"GET /where HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()
        assert (await _say(port, b"GET /where HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_nobody_who_says_nothing_keeps_this_machine_or_others_from_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whose = {"127.0.0.2": "10.0.0.2", "127.0.0.3": "10.0.0.3"}
    monkeypatch.setattr(operations, "_whose", lambda peer: whose.get(peer[0], "here"))
    async with _port() as port:
        silent = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0)) for _ in range(40)]
        await asyncio.sleep(0.1)
        for host in ("127.0.0.3", "127.0.0.1"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
            writer.write(b"GET /where HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200"), host
            writer.close()
        for _, writer in silent:
            writer.close()


async def test_a_connection_that_is_open_at_the_end_leaves_no_trace_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with _port() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.1)
    writer.close()
    assert caplog.text == ""


async def test_the_port_is_given_back_and_one_that_is_taken_is_told_with_the_key_to_change() -> None:
    async with _port() as port:
        settings = OperationsSettings.model_validate({"addresses": "127.0.0.1", "port": port})
        with pytest.raises(Unavailable, match=f"Port {port} on 127.0.0.1 is taken") as caught:
            async with operations_port(settings, _pages):
                pass
    assert "operations.port" in caught.value.hint
    async with operations_port(settings, _pages) as places:
        assert places == [("127.0.0.1", port)]
