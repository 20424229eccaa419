"""How many are carried at a time, and among whom each counts: an address, a certificate, or a forwarder by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from nestor.errors import CannotIssue, NestorError
from support import pki
from support.backends import backend, held_until
from support.companions import until
from support.device import Identity
from support.pki import CA
from support.proxying import Proxied, limits_of, proxied, route_to

GET = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def root() -> CA:
    return pki.authority()


@asynccontextmanager
async def busy(
    root: CA,
    who: Sequence[Identity | None],
    *,
    good: bool | NestorError = True,
    forwarders: tuple[Identity, ...] = (),
    **limits: float,
) -> AsyncIterator[Proxied]:
    """A proxy that carries a request for each of these, all from one address."""
    go = asyncio.Event()

    async with (
        backend(held_until(go), root) as behind,
        proxied(route_to(behind), limits=limits_of(**limits), good=good, forwarders=forwarders, root=root) as proxy,
    ):
        asked = [asyncio.ensure_future(proxy.ask(GET, identity=one)) for one in who]
        await until(lambda: len(behind.heads) + sum(one.done() for one in asked) == len(asked))
        yield proxy
        go.set()
        assert [b" 200 " in said for said in await asyncio.gather(*asked)] == [True] * len(asked)


async def test_a_forwarder_speaks_for_a_layer_and_is_not_counted_as_one_device(root: CA) -> None:
    forwarder = root.issue("nestor-line1")
    async with busy(root, [forwarder] * 5, forwarders=(forwarder,), requests_per_address=1) as proxy:
        assert proxy.front.listener.connections == 5


async def test_not_even_a_forwarder_goes_beyond_what_the_route_carries(root: CA) -> None:
    forwarder = root.issue("nestor-line1")
    limits = {"requests_per_address": 1, "requests_per_route": 3}
    async with busy(root, [forwarder] * 3, forwarders=(forwarder,), **limits) as proxy:
        assert (await proxy.ask(GET, identity=forwarder)).startswith(b"HTTP/1.1 503 ")


async def test_devices_behind_one_address_count_by_their_certificates_once_they_are_many(root: CA) -> None:
    one, other = root.issue("pump-1"), root.issue("pump-2")
    async with busy(root, [None, one, other], requests_per_address=1) as proxy:
        for identity in (None, one, other):
            assert (await proxy.ask(GET, identity=identity)).startswith(b"HTTP/1.1 503 ")


async def test_a_device_counts_once_however_many_certificates_it_has(root: CA) -> None:
    async with busy(root, [None, root.issue("pump-1")], requests_per_address=1) as proxy:
        assert (await proxy.ask(GET, identity=root.issue("pump-1"))).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("good", [False, CannotIssue("The ledger does not answer.")])
async def test_a_certificate_that_is_not_known_to_be_good_has_no_place_of_its_own(
    root: CA, good: bool | NestorError
) -> None:
    async with busy(root, [None], good=good, requests_per_address=1) as proxy:
        assert (await proxy.ask(GET, identity=root.issue("pump-1"))).startswith(b"HTTP/1.1 503 ")


async def test_bodies_behind_a_request_that_is_carried_wait_in_the_socket_but_for_a_few(root: CA) -> None:
    """Each is nearly as long as what makes aiohttp pause for one."""
    post = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n" + bytes(400_000)
    async with busy(root, []) as proxy:
        _, writer = await proxy.connect()
        writer.write(GET.replace(b"close", b"keep-alive") + post * 40)
        await until(lambda: proxy.standing().under_way)
        [connection] = proxy.front.listener._places.all()
        heard, before = 0, -1
        while heard != before:  # until nothing moves any more
            await asyncio.sleep(0.1)
            waiting: Any = connection._protocol
            before, heard = heard, sum(body.total_bytes for _, body in waiting._messages)
        writer.transport.abort()
    assert 400_000 < heard < 3_000_000
