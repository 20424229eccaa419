"""The contract of the Hub port, held against every implementation: in memory, and by the real SDK to the stand-in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import pytest

from nestor.cloud import Message, MethodAnswer
from nestor.errors import Unavailable
from nestor.ports import Hub
from standin.edge import Edge
from support.hubs import MemoryHub
from support.linked import Writer, linked


class Cloud(Protocol):
    """A hub, and what the cloud does to the module behind it."""

    hub: Hub
    side: Writer

    async def want(self, patch: Mapping[str, Any]) -> None: ...
    async def call(self, method: str, payload: object) -> tuple[int, object]: ...
    async def leave(self) -> None: ...
    async def come_back(self) -> None: ...
    def reported(self) -> Mapping[str, Any]: ...
    def messages(self) -> list[tuple[str, bytes, str]]: ...


class InMemory:
    def __init__(self, side: Writer) -> None:
        self.side = side
        self.memory = MemoryHub({"a": 1})
        self.hub: Hub = self.memory

    async def want(self, patch: Mapping[str, Any]) -> None:
        await self.memory.patch_desired(patch)

    async def call(self, method: str, payload: object) -> tuple[int, object]:
        answer = await self.memory.invoke(method, payload)
        return answer.status, answer.payload

    async def leave(self) -> None:
        self.memory.go_away()

    async def come_back(self) -> None:
        await self.memory.come_back()

    def reported(self) -> Mapping[str, Any]:
        return self.memory.reported

    def messages(self) -> list[tuple[str, bytes, str]]:
        return [(sent.output, sent.body, sent.content_type) for sent in self.memory.messages]


class BySDK:
    def __init__(self, hub: Hub, side: Writer, edge: Edge) -> None:
        self.hub = hub
        self.side = side
        self.edge = edge

    async def want(self, patch: Mapping[str, Any]) -> None:
        self.edge.patch_desired(patch)

    async def call(self, method: str, payload: object) -> tuple[int, object]:
        return await asyncio.to_thread(self.edge.invoke, method, payload)

    async def leave(self) -> None:
        self.edge.hub_leaves()

    async def come_back(self) -> None:
        self.edge.hub_returns()

    def reported(self) -> Mapping[str, Any]:
        return self.edge.reported

    def messages(self) -> list[tuple[str, bytes, str]]:
        return [(sent.output, sent.body, sent.content_type) for sent in self.edge.messages]


@pytest.fixture(params=["memory", "sdk"])
async def cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    if request.param == "memory":
        in_memory = InMemory(Writer())
        await in_memory.memory.connect(in_memory.side)
        yield in_memory
        return
    with Edge(desired={"a": 1}) as edge:
        async with linked(edge, monkeypatch) as running:
            await running.holds({"a": 1})
            yield BySDK(running.link, running.side, edge)


async def test_a_module_that_connects_hears_of_the_link_and_of_both_documents(cloud: Cloud) -> None:
    await cloud.side.until(lambda: bool(cloud.side.documents) and bool(cloud.side.reports))
    assert cloud.side.links[-1].connected
    assert cloud.hub.link == cloud.side.links[-1]
    assert cloud.side.documents[-1][0] == {"a": 1}
    assert cloud.side.reports[-1] == {}


async def test_every_change_is_heard_as_the_whole_document_with_a_higher_version(cloud: Cloud) -> None:
    await cloud.want({"b": {"c": 1, "d": 2}})
    await cloud.side.until(lambda: cloud.side.documents[-1][0] == {"a": 1, "b": {"c": 1, "d": 2}})
    version = cloud.side.documents[-1][1]
    await cloud.want({"a": None, "b": {"c": None}})
    await cloud.side.until(lambda: cloud.side.documents[-1][0] == {"b": {"d": 2}})
    assert cloud.side.documents[-1][1] > version


async def test_reported_properties_are_merged_and_null_deletes(cloud: Cloud) -> None:
    await cloud.hub.report({"x": {"y": 1, "z": 2}, "n": [1, 2]})
    await cloud.hub.report({"x": {"y": None}})
    assert cloud.reported() == {"x": {"z": 2}, "n": [1, 2]}


@pytest.mark.parametrize(
    "patch",
    [
        {"a.b": 1},
        {"a b": 1},
        {"$a": 1},
        {"a#": 1},
        {"a": [None]},
        {"a": "x" * 4097},
        {"a": 2**52},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": 1}}}}}}}}}}},
        {f"k{number}": "x" * 4000 for number in range(9)},
    ],
    ids=lambda patch: str(patch)[:12],
)
async def test_what_edgehub_does_not_take_is_refused_aloud_and_changes_nothing(
    cloud: Cloud, patch: Mapping[str, Any]
) -> None:
    with pytest.raises(Unavailable, match="400"):
        await cloud.hub.report(patch)
    await cloud.hub.report({"fine": True})
    assert cloud.reported() == {"fine": True}


async def test_a_message_arrives_as_it_was_sent(cloud: Cloud) -> None:
    await cloud.hub.send(Message("events", b'{"a":"\xc3\xa4"}', "application/cloudevents+json", {"kind": "x"}))
    await cloud.side.until(lambda: bool(cloud.messages()))  # it is acknowledged before it is looked at
    assert cloud.messages() == [("events", b'{"a":"\xc3\xa4"}', "application/cloudevents+json")]


async def test_a_method_is_answered_by_the_side_of_the_module(cloud: Cloud) -> None:
    cloud.side.answer = lambda method, payload: MethodAnswer(202, {"method": method, "payload": payload})
    assert await cloud.call("hello", {"k": [1]}) == (202, {"method": "hello", "payload": {"k": [1]}})
    assert await cloud.call("hello", None) == (202, {"method": "hello", "payload": None})


async def test_while_it_is_away_nothing_is_taken_and_the_reason_is_known(cloud: Cloud) -> None:
    await cloud.leave()
    await cloud.side.until(lambda: not cloud.hub.link.connected)
    assert cloud.hub.link.sentence
    assert [state.connected for state in cloud.side.links][-1] is False
    with pytest.raises(Unavailable, match="edgeHub is not connected: "):
        await cloud.hub.report({"x": 1})
    with pytest.raises(Unavailable, match="edgeHub is not connected: "):
        await cloud.hub.send(Message("events", b"{}", "application/json"))
    assert cloud.reported() == {}
    assert cloud.messages() == []


async def test_what_changed_while_it_was_away_is_heard_when_it_is_back(cloud: Cloud) -> None:
    await cloud.leave()
    await cloud.side.until(lambda: not cloud.hub.link.connected)
    await cloud.want({"a": None, "b": 2})
    await cloud.come_back()
    await cloud.side.until(lambda: cloud.side.documents[-1][0] == {"b": 2})
    assert [state.connected for state in cloud.side.links] == [True, False, True]
