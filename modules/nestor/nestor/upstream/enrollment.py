"""How this client asks for a certificate of its own: CSR attributes first, linked where wanted, patient where told to.

Requests that others made are sent as they are: nothing of this can be put into them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

from nestor.errors import Pending
from nestor.est.csrattrs import CsrAttributes
from nestor.upstream.client import ESTClient

Connect = Callable[[bool], ESTClient]
"""Makes a client, not opened yet; the flag says whether it must be linkable."""

Compose = Callable[[CsrAttributes, str | None], bytes]
"""Makes the request, DER, from what the server asks for and the channel binding (RFC 7030, 3.5) if there is one."""

Waiting = Callable[[Pending], None]
"""Hears what the server said before it is waited for."""

Got = TypeVar("Got")


def _in_silence(_: Pending) -> None:
    """Tell nobody."""


async def request_own(
    connect: Connect,
    compose: Compose,
    send: Callable[[ESTClient, bytes], Awaitable[Got]],
    *,
    link: bool = False,
    patience: float = 0,
    waiting: Waiting = _in_silence,
) -> Got:
    """Ask for a certificate, linked to the TLS session where `link` says so or the server asks for it.

    What is repeated is the same request, byte by byte, unless it is linked to another session.
    """
    same = cache(compose)
    return await patiently(lambda: _ask(connect, same, send, link=link), patience, waiting)


async def patiently(attempt: Callable[[], Awaitable[Got]], patience: float, waiting: Waiting = _in_silence) -> Got:
    """Repeat what the server has not decided yet, when it says, for at most `patience` seconds; then raise Pending."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            return await attempt()
        except Pending as pending:
            if loop.time() + pending.retry_after > deadline:
                raise
            waiting(pending)
            await asyncio.sleep(pending.retry_after)


async def _ask(
    connect: Connect, compose: Compose, send: Callable[[ESTClient, bytes], Awaitable[Got]], *, link: bool
) -> Got:
    async with connect(link) as client:
        wanted = await client.csrattrs()
        if link or not wanted.challenge_password:
            return await send(client, compose(wanted, client.link() if link else None))
    return await _ask(connect, compose, send, link=True)
