"""Telemetry: one CloudEvent for every certificate, in batches; never more waits than there is room, nobody waits."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nestor.app import telemetry
from nestor.events import Enrolled, LinkChanged, Refused, Revoked
from support.companions import Module, module, until
from support.entries import a_refusal, an_entry

WANTED = {"reporting": {"telemetry": True}}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_GATHERING", 0.02)
    monkeypatch.setattr(telemetry, "_PATIENCE", 0.05)


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data", WANTED) as beside:
        await beside.hub.connect(beside)
        await asyncio.sleep(0)
        yield beside


def events(beside: Module) -> list[dict[str, Any]]:
    return [event for message in beside.hub.messages for event in json.loads(message.body)]


async def test_what_happens_at_one_time_is_one_message(beside: Module) -> None:
    entry, refusal = an_entry(), a_refusal()
    for event in (Enrolled(entry, replayed=False), Refused(refusal), Revoked(entry, "direct method")):
        beside.server.ground.tell(event)
    await until(lambda: beside.hub.messages)
    (message,) = beside.hub.messages
    assert (message.output, message.content_type) == ("events", "application/cloudevents-batch+json")
    assert [event["type"].rpartition(".")[2] for event in events(beside)] == ["issued", "refused", "revoked"]


async def test_without_being_told_to_nothing_is_sent(tmp_path: Path) -> None:
    async with module(tmp_path / "data") as beside:
        await beside.hub.connect(beside)
        beside.server.ground.tell(Enrolled(an_entry(), replayed=False))
        await asyncio.sleep(0.1)
        assert beside.hub.messages == []
        beside.stage.document = WANTED
        await beside.server.reload()
        beside.server.ground.tell(Enrolled(an_entry("pump-2"), replayed=False))
        await until(lambda: beside.hub.messages)
        assert [event["subject"] for event in events(beside)] == ["pump-2"]


async def test_switched_off_what_waits_is_not_sent_any_more(beside: Module) -> None:
    beside.hub.go_away()
    beside.server.ground.tell(Enrolled(an_entry(), replayed=False))
    beside.stage.document = {}
    await beside.server.reload()
    await beside.hub.come_back()
    await asyncio.sleep(0.2)
    assert beside.hub.messages == []


async def test_while_nobody_takes_them_the_newest_wait_and_the_others_are_counted(beside: Module) -> None:
    beside.hub.go_away()
    for number in range(telemetry.WAITING + 250):
        beside.server.ground.tell(Enrolled(an_entry(f"pump-{number}"), replayed=False))
        if number % 300 == 0:
            await asyncio.sleep(0.05)  # it is tried in between
    await until(lambda: len(beside.telemetry._waiting) == telemetry.WAITING)
    await beside.hub.come_back()
    await until(lambda: len(events(beside)) > telemetry.WAITING)
    first, *rest = events(beside)
    assert (first["type"], first["data"]) == ("nestor.events.dropped", {"number": 250})
    assert [event["subject"] for event in rest] == [f"pump-{250 + at}" for at in range(telemetry.WAITING)]
    assert beside.telemetry.dropped == 0


async def test_what_waits_goes_out_as_soon_as_edgehub_is_back(beside: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_PATIENCE", 60)
    beside.hub.go_away()
    beside.server.ground.tell(Enrolled(an_entry(), replayed=False))
    await asyncio.sleep(0.1)
    await beside.hub.come_back()
    beside.server.ground.tell(LinkChanged(beside.hub.link))
    await until(lambda: beside.hub.messages)


async def test_a_message_is_never_larger_than_edgehub_takes(beside: Module) -> None:
    for number in range(300):
        names = {"device": f"{number}" + "\U0001f600" * 5000, "subject": "\x00" * 9000}
        beside.server.ground.tell(Enrolled(an_entry(**names), replayed=False))
    await until(lambda: len(events(beside)) == 300)
    assert max(len(message.body) for message in beside.hub.messages) < 200_000


async def test_a_flood_of_strangers_is_told_in_bounded_number(beside: Module) -> None:
    for _ in range(500):
        beside.server.ground.tell(Refused(a_refusal(method=None)))
    beside.server.ground.tell(Refused(a_refusal(subject="CN=known")))
    await until(lambda: beside.hub.messages)
    told = events(beside)
    assert len(told) == 21
    assert told[-1]["subject"] == "CN=known"
