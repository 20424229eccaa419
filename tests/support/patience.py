"""Limits that a test can wait for: whether something ends when its time has passed, and not before."""

import asyncio
import ssl
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

LIMIT = 0.4
LOOK = 0.25  # how often a listener looks at deadlines
_BUSY_MACHINE = 10.0  # seconds that a step may come late; far from the limits that do not count
Ended = TypeVar("Ended")
_OTHERS = dict.fromkeys(("handshake", "head", "body", "request", "answer", "idle", "wait"), 60.0)


def only(**limits: float) -> dict[str, Any]:
    """These limits, in seconds, and all others so long that they do not matter."""
    return {**_OTHERS, **limits}


async def in_time(end: Awaitable[Ended], begun: float | None = None) -> Ended:
    """Wait for what has to end when the limit has passed since `begun`, and not before."""
    since = time.monotonic() if begun is None else begun
    async with asyncio.timeout(LIMIT + LOOK + _BUSY_MACHINE):
        ended = await end
    assert time.monotonic() - since > LIMIT - 0.05
    return ended


async def to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What is said until the end, which may come without a goodbye."""
    heard = b""
    with suppress(ConnectionError, ssl.SSLError):
        while more := await reader.read(65_536):
            heard += more
    return heard


async def trickle(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Say something, a byte at a time; each byte takes a tenth of the limit."""
    with suppress(ConnectionError):
        for byte in content:
            writer.write(bytes([byte]))
            await asyncio.sleep(LIMIT / 10)
