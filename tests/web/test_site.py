"""The site's own limits: how long a body and a request may take, how large a body may be, and what a bug looks like."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nestor.events import Answered, Event, Trouble
from nestor.model import Entry, Standing
from nestor.registrar.desk import Registrar
from nestor.web.site import MAX_BODY, Site
from support.desks import LINE, Desk
from support.device import Device, client_context
from support.front import front, limits_of
from support.memory import MemoryLedger
from support.patience import LIMIT, in_time, only, to_the_end, trickle
from support.shapes import est_identity
from support.wire import enrollment, say


@dataclass(frozen=True)
class House:
    """What the site needs of a house."""

    registrar: Registrar
    told: list[Event] = field(default_factory=list)
    chain_order: bool = False

    def problems(self) -> Mapping[str, str]:
        return {}

    def failures(self) -> Mapping[str, str]:
        return {}

    @property
    def troubles(self) -> list[Event]:
        """What it told beside that a request has its answer."""
        return [event for event in self.told if not isinstance(event, Answered)]


@asynccontextmanager
async def site(place: Path, ledger: MemoryLedger, **limits: float) -> AsyncIterator[tuple[Device, House]]:
    """A device, and the house that it asks."""
    patience = only(**limits)
    house = House(Desk(place, ledger=ledger).registrar)
    handler = Site(lambda: house, limits_of(**patience), house.told.append).handle
    async with front(handler=handler, **patience) as served:
        yield Device(served.port, served.anchor, user=LINE), house


class Stuck(MemoryLedger):
    """A ledger that does not answer."""

    async def standing(self, **_: Any) -> Standing:
        await asyncio.sleep(60)
        raise AssertionError


class Broken(MemoryLedger):
    """A ledger with a bug that nobody has thought of."""

    async def record(self, entry: Entry, **_: Any) -> Entry:
        raise RuntimeError(entry.subject)


async def _hears(device: Device, body: bytes) -> bytes:
    """What a client hears that announces a body, and sends this much of it, a byte at a time."""
    context = client_context(device.ca_file, None)
    reader, writer = await asyncio.open_connection("localhost", device.port, ssl=context)
    begun = time.monotonic()
    writer.write(enrollment(device, 1000, end=False))
    slowly = asyncio.ensure_future(trickle(writer, body))
    heard = await in_time(to_the_end(reader), begun)
    slowly.cancel()
    writer.close()
    return heard


async def test_a_request_that_cannot_be_answered_in_time_is_told_so(tmp_path: Path) -> None:
    async with site(tmp_path, Stuck(), request=LIMIT) as (device, _):
        answer = await in_time(asyncio.to_thread(device.enroll, est_identity("dev-1")))
    assert answer.status == 408
    assert answer.text.startswith("The request could not be answered in time. Send it again. (request ")


async def test_a_body_that_does_not_arrive_in_time_is_told_so_and_ends_the_connection(tmp_path: Path) -> None:
    async with site(tmp_path, MemoryLedger(), body=LIMIT) as (device, _):
        heard = await _hears(device, b"MII")
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in heard


async def test_a_body_that_trickles_gains_no_time_by_it(tmp_path: Path) -> None:
    async with site(tmp_path, MemoryLedger(), body=LIMIT) as (device, _):
        heard = await _hears(device, 500 * b"M")
    assert heard.startswith(b"HTTP/1.1 408 ")


async def test_the_time_of_a_request_counts_its_body(tmp_path: Path) -> None:
    async with site(tmp_path, MemoryLedger(), request=LIMIT) as (device, _):
        heard = await _hears(device, b"MII")
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"could not be answered in time" in heard


@pytest.mark.parametrize(("more", "status"), [(0, b"400"), (1, b"413")])
async def test_a_body_may_have_64_kib_and_not_a_byte_more(more: int, status: bytes, tmp_path: Path) -> None:
    body = b"A" * (MAX_BODY + more)
    assert MAX_BODY == 64 * 1024
    async with site(tmp_path, MemoryLedger()) as (device, _):
        whole = enrollment(device, len(body)) + body
        chunks = enrollment(device, None, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        for content in (whole, chunks):
            heard = await asyncio.to_thread(say, device, content)
            assert heard.startswith(b"HTTP/1.1 " + status)


async def test_a_body_that_is_too_large_by_its_head_is_not_waited_for(tmp_path: Path) -> None:
    async with site(tmp_path, MemoryLedger()) as (device, _):
        heard = await asyncio.to_thread(say, device, enrollment(device, MAX_BODY + 1))
    assert heard.startswith(b"HTTP/1.1 413 ")


async def test_a_bug_is_told_by_its_kind_and_shows_nothing_of_the_inside(tmp_path: Path) -> None:
    async with site(tmp_path, Broken()) as (device, house):
        answer = await asyncio.to_thread(device.enroll, est_identity("dev-1"))
        assert (await asyncio.to_thread(device.get, "cacerts")).status == 200
    assert (answer.status, "dev-1" in answer.text) == (500, False)
    request_id = answer.text.rpartition("(request ")[2].rstrip(")\n")
    (trouble,) = house.troubles
    assert isinstance(trouble, Trouble)
    assert trouble.about == "bug"
    assert f"RuntimeError while serving request {request_id}" in trouble.sentence
    assert "dev-1" not in trouble.sentence


async def test_every_answer_is_told_with_its_operation_its_status_and_its_time(tmp_path: Path) -> None:
    async with site(tmp_path, MemoryLedger()) as (device, house):
        for path in ("/healthz", "/.well-known/est/cacerts", "/.well-known/est/nobody/cacerts", "/x?y"):
            await asyncio.to_thread(device.ask, "GET", path)
    answered = [event for event in house.told if isinstance(event, Answered)]
    told = [(event.operation, event.status, event.request) for event in answered]
    assert told == [
        ("health", 200, "GET /healthz"),
        ("cacerts", 200, "GET /.well-known/est/cacerts"),
        ("cacerts", 404, "GET /.well-known/est/nobody/cacerts"),
        ("other", 404, "GET /x?y"),
    ]
    assert all(0 < event.seconds < 5 for event in answered)
