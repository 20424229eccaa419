"""The SDK behind the wall: what it logs, how it is fitted, and what its failures are called."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from nestor.cloud import Message, MethodAnswer
from nestor.edge.client import Client
from nestor.edge.told import Called, Declined, Lost, Told
from standin.edge import Edge
from support.linked import until

SECRET = "the-content-of-the-twin"


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    with Edge(desired={"a": SECRET}) as edge:
        for name, value in edge.environment().items():
            monkeypatch.setenv(name, value)
        yield edge


@pytest.fixture
def client(edge: Edge) -> Iterator[Client]:
    client = Client.create("nestor/test", 3600)
    client.connect()
    yield client
    client.close()


async def test_no_twin_and_no_token_gets_into_the_log_however_loud_it_is(
    edge: Edge, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Told] = []
    with caplog.at_level(logging.DEBUG):
        client.listen(heard.append)
        assert SECRET in str(client.twin())
        client.report({"b": SECRET})
        edge.patch_desired({"c": SECRET})
        await until(lambda: bool(heard))
        edge.faults.twin_status = 500
        with pytest.raises(Declined):
            client.report({"b": SECRET})
        edge.drop()
        await until(lambda: len(heard) >= 2)
    assert "SharedAccessSignature" not in caplog.text
    assert SECRET not in caplog.text
    assert [record.name for record in caplog.records if record.name.startswith(("azure", "paho"))] == []


async def test_what_is_heard_shows_nothing_of_its_content(edge: Edge, client: Client) -> None:
    heard: list[Told] = []
    client.listen(heard.append)
    edge.patch_desired({"c": SECRET})
    await until(lambda: bool(heard))
    assert SECRET not in repr(heard)
    assert SECRET not in repr(Called(None, "m", SECRET))


async def test_a_call_of_a_client_that_was_closed_says_that_it_is_lost(client: Client) -> None:
    client.close()
    with pytest.raises(Lost):
        client.twin()
    with pytest.raises(Lost):
        client.connect()


async def test_a_client_may_be_closed_twice_and_without_edgehub(edge: Edge, client: Client) -> None:
    edge.hub_leaves()
    client.close()
    client.close()


async def test_what_the_sdk_does_not_take_is_declined_and_loses_nothing(edge: Edge, client: Client) -> None:
    with pytest.raises(Declined):
        client.send(Message("out", b"x" * 300_000, "text/plain"))
    client.send(Message("out", b"x", "text/plain"))
    with pytest.raises(Declined):
        client.report({"a": {1, 2}})
    client.report({"a": [1, 2]})
    assert edge.reported == {"a": [1, 2]}


async def test_an_answer_that_is_no_json_is_declined(edge: Edge, client: Client) -> None:
    calls: list[Told] = []
    client.listen(calls.append)
    with pytest.raises(Exception, match="did not answer"):
        edge.invoke("hello", None, 0.3)
    (call,) = calls
    assert isinstance(call, Called)
    with pytest.raises(Declined):
        client.answer(call, MethodAnswer(200, {"a": {1}}))


async def test_no_wait_of_the_sdk_lasts_for_ever(edge: Edge, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestor.edge.client._LONGEST_WAIT", 0.2)
    edge.faults.lost_answers = 2
    edge.faults.acknowledges = False
    for call in (client.twin, lambda: client.report({"a": 1}), lambda: client.send(Message("o", b"", "text/plain"))):
        with pytest.raises(Lost, match="edgeHub did not answer in time"):
            await asyncio.wait_for(asyncio.to_thread(call), 5)


def test_an_environment_that_is_none_is_told(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.workload_leaves()
    with pytest.raises(Lost, match="does not answer at its workload socket"):
        Client.create("nestor", 3600)
    edge.workload_returns()
    edge.faults.workload_failing = frozenset({"trust-bundle"})
    with pytest.raises(Lost, match="did not give its trust bundle"):
        Client.create("nestor", 3600)
    edge.faults.workload_failing = frozenset({"sign"})
    with pytest.raises(Lost, match="did not sign a token"):
        Client.create("nestor", 3600)
    edge.faults.workload_failing = frozenset()
    edge.faults.workload_hangs = True
    monkeypatch.setattr("nestor.edge.client._RUNTIME", 0.2)
    with pytest.raises(Lost, match="does not answer at its workload socket"):
        Client.create("nestor", 3600)
