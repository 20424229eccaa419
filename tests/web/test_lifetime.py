"""Connections end: after so many requests, after so long, and then in good order."""

import asyncio
from pathlib import Path

from support.device import ask
from support.front import Front, front
from support.plants import plant

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Caller:
    """Asks again and again on one connection."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self._reader, self._writer = streams

    @classmethod
    async def of(cls, served: Front) -> "Caller":
        return cls(await served.connect())

    async def is_told_to_leave(self) -> bool:
        """Ask; whether the answer is the last one here."""
        self._writer.write(GET)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await self._reader.readexactly(5) == b"hello"
        return b"connection: close" in head.lower()

    async def leaves(self) -> None:
        """Hear the end, and nothing else."""
        assert await self._reader.read() == b""
        self._writer.close()


async def test_the_last_of_so_many_requests_is_answered_and_ends_the_connection() -> None:
    async with front(requests_per_connection=3) as served:
        caller = await Caller.of(served)
        assert [await caller.is_told_to_leave() for _ in range(3)] == [False, False, True]
        await caller.leaves()
        await served.settled(0)


async def test_the_first_request_after_so_long_is_answered_and_ends_the_connection() -> None:
    async with front(lifetime=0.2) as served:
        caller = await Caller.of(served)
        assert not await caller.is_told_to_leave()
        await asyncio.sleep(0.25)
        assert await caller.is_told_to_leave()
        await caller.leaves()


async def test_requests_that_come_at_once_are_counted_one_by_one() -> None:
    async with front(requests_per_connection=2) as served:
        reader, writer = await served.connect()
        writer.write(GET * 5)
        heard = await reader.read()
        writer.close()
    assert heard.count(b"HTTP/1.1 200") == 2


def test_a_server_says_which_answer_is_the_last(tmp_path: Path) -> None:
    made = plant(tmp_path, {"limits": {"requestsPerConnection": 2}})
    with made.server:
        connection = made.line.connect()
        answers = [ask(connection, "GET", made.line.path("cacerts"), None, {}) for _ in range(2)]
        connection.close()
    assert [answer["Connection"] for answer in answers] == [None, "close"]
