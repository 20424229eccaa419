"""The link over the real SDK, against each thing by which the SDK is known to hang, to lose, or to deceive."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from nestor.cloud import Message, MethodAnswer
from nestor.edge.told import Declined
from nestor.errors import Unavailable
from nestor.events import Note, Trouble
from standin.edge import Edge
from standin.faults import Delivery, Refusal
from standin.topics import desired_patch
from support.linked import SHORT, Linked, linked, now

READS_OFTEN = replace(SHORT, reread=0.3)


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge(desired={"a": 1}) as edge:
        yield edge


@asynccontextmanager
async def black_hole(edge: Edge) -> AsyncIterator[None]:
    """In the place of edgeHub, a port that takes connections and says nothing."""

    with socket.create_server((edge.address, 8883)):
        yield


async def call(edge: Edge, method: str, payload: object = None, seconds: float = 5) -> tuple[int, object]:
    return await asyncio.to_thread(edge.invoke, method, payload, seconds)


def notes(running: Linked) -> list[str]:
    return [event.sentence for event in running.events if isinstance(event, Note | Trouble)]


# 3.4.1 No time-out on requests.


async def test_a_reading_that_is_never_answered_ends_in_a_new_client(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.faults.lost_answers = 1
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        assert edge.connections == 2


async def test_a_report_that_is_never_answered_is_told_in_time_and_ends_in_a_new_client(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        edge.faults.lost_answers = 1
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="edgeHub does not answer"):
            await running.link.report({"x": 1})
        assert time.monotonic() - begun < SHORT.call + 0.5
        await running.away()
        await running.connected()
        await running.link.report({"x": 2})
        assert edge.reported == {"x": 2}


async def test_a_message_that_is_never_acknowledged_is_told_in_time(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        edge.faults.acknowledges = False
        with pytest.raises(Unavailable, match="edgeHub does not answer"):
            await running.link.send(Message("out", b"{}", "application/json"))
        edge.faults.clear()
        await running.away()
        await running.connected()
        await running.link.send(Message("out", b"[]", "application/json", {"k": "v"}))
        sent = edge.messages[-1]
        assert (sent.output, sent.body, sent.content_type) == ("out", b"[]", "application/json")
        assert sent.properties["k"] == "v"


# 3.4.2 The SDK's own reading after a reconnect is lost once, and then never sent again.


async def test_a_change_made_while_away_counts_although_answers_were_lost_before(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        for number in (2, 3):
            edge.hub_leaves()
            await running.away()
            edge.patch_desired({"a": number})
            edge.faults.lost_answers = 1
            edge.hub_returns()
            await running.holds({"a": number})


# 3.4.3 Keys deleted while offline are simply absent in what the SDK delivers as a patch.


async def test_a_key_that_was_deleted_while_away_is_gone(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.patch_desired({"b": {"c": 1, "d": 2}})
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1, "b": {"c": 1, "d": 2}})
        edge.hub_leaves()
        await running.away()
        edge.patch_desired({"a": None, "b": {"c": None}})
        edge.hub_returns()
        await running.holds({"b": {"d": 2}})


# 3.4.4 Patches and twins without a version, and what is no JSON, are dropped inside the SDK.


async def test_a_patch_without_a_version_is_not_lost(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.UNVERSIONED
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})


async def test_a_patch_with_metadata_is_not_taken_for_more_than_it_is(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.faults.metadata = True
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})


@pytest.mark.parametrize("payload", [b"{no json", b"", b"[1]", b"\xff"])
async def test_a_patch_that_cannot_be_read_leads_to_a_reading(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, payload: bytes
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.faults.delivery = Delivery.SKIPPED
        version = edge.patch_desired({"b": 2})
        edge._loop.do(lambda: edge._hub._send(desired_patch(version), payload))
        await running.holds({"a": 1, "b": 2})
        assert edge.connections == 1


async def test_an_edgehub_that_knows_no_twin_yet_changes_no_settings(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.faults.twin_empty = True
    async with linked(edge, monkeypatch, READS_OFTEN) as running:
        await running.connected()
        await asyncio.to_thread(edge.wait_until, lambda: edge.twin_reads >= 3, 5)
        assert running.side.documents == []
        edge.faults.clear()
        await running.holds({"a": 1})


# 3.4.5 Refused credentials end the SDK's reconnecting for good.


@pytest.mark.parametrize("refusal", list(Refusal))
async def test_refused_credentials_while_reconnecting_are_tried_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        edge.faults.refusal = refusal
        edge.drop()
        await running.away()
        await asyncio.to_thread(edge.wait_until, lambda: edge.refusals >= 3, 10)
        edge.patch_desired({"b": 2})
        edge.faults.clear()
        await running.holds({"a": 1, "b": 2})


# 3.4.6 edgeHub forgot the session.


async def test_a_session_that_edgehub_forgot_is_made_anew(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        edge.forget_session()
        await running.away()
        await running.connected()
        assert edge.connections == 2
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})
        assert await call(edge, "hello") == (200, {"heard": None})


async def test_subscriptions_that_are_lost_under_a_living_connection_are_noticed(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch, READS_OFTEN) as running:
        await running.connected()
        edge._loop.do(edge._hub._session.filters.clear)  # type: ignore[union-attr]
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})
        assert await call(edge, "hello") == (200, {"heard": None})


# 3.4.7 The renewal of the token.


async def test_a_client_is_followed_by_the_next_before_its_token_ends_and_nobody_notices(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch, replace(SHORT, renew=0.5)) as running:
        await running.connected()
        while edge.connections < 4:
            await running.link.report({"n": edge.connections})
            await asyncio.sleep(0.05)
        assert [state.connected for state in running.side.links] == [True]
        assert edge.refusals == 0


async def test_a_method_under_way_is_answered_before_its_client_makes_room_for_the_next(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait() -> MethodAnswer:
        await asyncio.sleep(0.8)
        return MethodAnswer(200, {"late": True})

    async with linked(edge, monkeypatch, replace(SHORT, renew=0.5)) as running:
        await running.connected()
        running.side.answer = lambda _method, _payload: wait()
        assert await call(edge, "slow") == (200, {"late": True})
        await asyncio.to_thread(edge.wait_until, lambda: edge.connections >= 2, 5)


async def test_a_renewal_that_fails_leaves_the_connection_and_is_tried_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch, replace(SHORT, renew=0.5)) as running:
        await running.connected()
        signed = edge.workload_calls.count("sign")
        edge.faults.workload_failing = frozenset({"sign"})
        await asyncio.to_thread(edge.wait_until, lambda: edge.workload_calls.count("sign") >= signed + 2, 10)
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})
        edge.faults.clear()
        await asyncio.to_thread(edge.wait_until, lambda: edge.connections >= 2, 10)
        assert [state.connected for state in running.side.links] == [True]


async def test_a_renewal_by_the_sdk_that_fails_ends_in_a_new_client(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = replace(SHORT, token=121, renew=3600.0)  # the SDK renews 120 s before the end
    async with linked(edge, monkeypatch, patience) as running:
        await running.connected()
        edge.faults.workload_failing = frozenset({"sign"})
        await running.away()
        assert "The IoT Edge runtime did not sign a token for edgeHub." in running.link.link.sentence
        edge.faults.clear()
        await running.connected()


async def test_a_renewal_by_the_sdk_that_hangs_ends_in_a_new_client(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = replace(READS_OFTEN, token=121, renew=3600.0, close=0.5, create=2.0)
    monkeypatch.setattr("nestor.edge.client._RUNTIME", 3.0)
    async with linked(edge, monkeypatch, patience) as running:
        await running.connected()
        edge.faults.workload_hangs = True  # on the one thread that every client of the SDK shares
        await running.away()
        edge.faults.workload_hangs = False
        await running.connected()
        await running.link.report({"x": 1})


# 3.4.8 Handlers run on foreign threads, several at a time, in no order.


async def test_a_storm_of_patches_ends_in_the_last_one_and_calls_nobody_twice_at_a_time(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        running.side.slowness = 0.05
        await running.holds({"a": 1})
        for number in range(300):
            edge.patch_desired({"a": number, f"k{number % 7}": number})
        last = {"a": 299, **{f"k{number % 7}": number for number in range(300)}}
        await running.holds(last)
        assert running.side.at_once == 1
        assert len(running.side.documents) < 100
        versions = [version for _, version in running.side.documents]
        assert versions == sorted(versions)


async def test_everything_is_handed_over_in_the_loop_of_the_module(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def answer(_method: str, _payload: object) -> MethodAnswer:
        seen.add(threading.get_ident())
        return MethodAnswer(200, {})

    async with linked(edge, monkeypatch) as running:
        running.side.answer = answer
        await running.connected()
        await asyncio.gather(*(call(edge, f"m{number}") for number in range(8)))
        assert seen == {threading.get_ident()}
        assert running.side.at_once == 1


# 3.4.9 Setting a handler blocks, up to a minute.


async def test_the_loop_never_stands_still_while_edgehub_says_nothing(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.hub_leaves()
    async with black_hole(edge), linked(edge, monkeypatch, replace(SHORT, connect=0.5, close=0.5)) as running:
        await running.side.until(lambda: "edgeHub does not answer" in running.link.link.sentence)
        longest = 0.0
        for _ in range(200):
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before - 0.01)
        assert longest < 0.25  # the SDK is imported by now; what is left is a busy machine
        assert running.link._crew.overdue < 8


async def test_after_an_edgehub_that_said_nothing_the_next_is_found_although_the_sdk_still_waits_for_it(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.hub_leaves()
    async with linked(edge, monkeypatch, replace(SHORT, connect=0.5, close=0.5)) as running:
        with socket.create_server((edge.address, 8883)) as silent:
            silent.setblocking(False)
            waiting, _ = await asyncio.get_running_loop().sock_accept(silent)
            await running.side.until(lambda: "edgeHub does not answer" in running.link.link.sentence)
        with waiting:
            edge.hub_returns()
            await running.holds({"a": 1})


# 3.4.10 A handler that raises is only logged.


async def test_a_method_that_fails_is_answered_with_a_sentence(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_method: str, _payload: object) -> MethodAnswer:
        raise ZeroDivisionError("secret")

    async with linked(edge, monkeypatch) as running:
        running.side.answer = fail
        await running.connected()
        status, told = await call(edge, "boom")
        assert status == 500
        assert told == {"error": "Nestor failed to do boom by a fault of its own; its log has the cause."}
        running.side.answer = lambda _method, _payload: MethodAnswer(201, {"fine": True})
        assert await call(edge, "again") == (201, {"fine": True})
        assert any(isinstance(event, Trouble) and event.about == "bug" for event in running.events)


# 3.4.11 Errors of the twin.


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_a_reading_that_is_refused_is_tried_again_on_the_same_connection(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    edge.faults.twin_status = status
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        await asyncio.to_thread(edge.wait_until, lambda: edge.twin_reads >= 2, 5)
        edge.faults.clear()
        await running.holds({"a": 1})
        assert edge.connections == 1


async def test_a_report_that_is_refused_says_so_and_keeps_the_connection(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.connected()
        with pytest.raises(Declined, match="edgeHub answered with status 400") as caught:
            await running.link.report({"a.b": 1})
        assert caught.value.status == 400
        edge.faults.twin_status = 429
        with pytest.raises(Declined, match="status 429"):
            await running.link.report({"x": 1})
        edge.faults.clear()
        await running.link.report({"x": 1})
        assert edge.connections == 1


# 3.4.12 The end of a client, and what it leaves behind.


async def test_no_threads_are_left_behind_by_clients_that_came_and_went(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch, replace(SHORT, longest_pause=0.02)) as running:
        await running.connected()
        await asyncio.sleep(0.1)
        before = threading.active_count()
        for number in range(12):
            connections = edge.connections
            edge.faults.lost_answers = number % 2
            edge.drop()
            await asyncio.to_thread(edge.wait_until, lambda many=connections: edge.connections > many, 10)
        await running.holds({"a": 1})
        await running.connected()
        # A wait for an answer that was lost ends by itself, half a minute later at most.
        await running.side.until(lambda: threading.active_count() - running.link._crew.overdue <= before + 3)
        assert running.link._crew.overdue <= 6


async def test_a_link_without_edgehub_ends_at_once(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.hub_leaves()
    async with linked(edge, monkeypatch) as running:
        await running.side.until(lambda: bool(running.side.links))
        begun = time.monotonic()
    assert time.monotonic() - begun < 1


# 3.4.13 Methods that wait when the connection ends are dropped.


async def test_the_answer_to_a_method_of_a_lost_connection_goes_nowhere(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def wait() -> MethodAnswer:
        await go_on.wait()
        return MethodAnswer(200, {"late": True})

    async with linked(edge, monkeypatch) as running:
        await running.connected()
        running.side.answer = lambda _method, _payload: wait()
        with suppress(Exception):
            waiting = asyncio.ensure_future(call(edge, "slow", seconds=0.5))
            await running.side.until(lambda: bool(running.side.calls))
            edge.drop()
            await waiting
        go_on.set()
        await running.connected()
        running.side.answer = lambda _method, _payload: MethodAnswer(200, {"late": False})
        assert await call(edge, "next") == (200, {"late": False})


# How methods are answered.


async def test_a_method_that_takes_too_long_is_answered_once_and_in_time(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait() -> MethodAnswer:
        await asyncio.sleep(1.0)
        return MethodAnswer(200, {"late": True})

    async with linked(edge, monkeypatch, replace(SHORT, method=0.4)) as running:
        await running.connected()
        running.side.answer = lambda _method, _payload: wait()
        status, told = await call(edge, "slow")
        assert status == 504
        assert told == {"error": "slow was not done within 0.4 s. If it was begun, it goes on."}
        running.side.answer = lambda _method, _payload: MethodAnswer(200, {"late": False})
        await running.side.until(lambda: running.side._now == 0)
        assert await call(edge, "next") == (200, {"late": False})
        assert not edge.broken_rules


# What is told.


async def test_months_without_edgehub_are_told_once_for_each_reason(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.hub_leaves()
    async with linked(edge, monkeypatch, replace(SHORT, longest_pause=0.02)) as running:
        await running.side.until(lambda: edge.workload_calls.count("sign") > 10)
        edge.hub_returns()
        edge.faults.refusal = Refusal.NOT_AUTHORIZED
        await asyncio.to_thread(edge.wait_until, lambda: edge.refusals > 10, 10)
        edge.faults.clear()
        await running.connected()
        told = notes(running)
        assert len(told) == 3
        assert told[0].startswith("edgeHub cannot be reached. ")
        assert told[1].startswith("edgeHub refused the credentials of this module. ")
        assert told[2] == f"Connected to edgeHub at {edge.address}."
        assert [state.connected for state in running.side.links] == [False, True]


async def test_without_edgehub_a_report_is_refused_at_once_with_the_reason(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.hub_leaves()
    async with linked(edge, monkeypatch) as running:
        await running.side.until(lambda: bool(running.side.links))
        with pytest.raises(Unavailable, match=r"edgeHub is not connected: edgeHub cannot be reached\."):
            await running.link.report({"x": 1})
        with pytest.raises(Unavailable):
            await running.link.send(Message("out", b"", "text/plain"))


async def test_without_the_runtime_the_link_waits_for_it(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.workload_leaves()
    async with linked(edge, monkeypatch) as running:
        await running.side.until(lambda: bool(running.side.links))
        assert running.link.link.sentence == "The IoT Edge runtime does not answer at its workload socket."
        edge.workload_returns()
        await running.holds({"a": 1})


async def test_a_certificate_that_is_not_trusted_is_told_as_such(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    served, edge._workload.pki = edge._workload.pki, edge._pki.renewed(edge.identity.device, now(), root=True)
    async with linked(edge, monkeypatch) as running:
        await running.side.until(lambda: bool(running.side.links))
        assert running.link.link.sentence == "The TLS certificate of edgeHub is not accepted."
        edge._workload.pki = served
        await running.holds({"a": 1})


async def test_an_edge_ca_that_is_renewed_under_another_root_is_trusted_without_a_restart(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(edge, monkeypatch) as running:
        await running.holds({"a": 1})
        edge.renew_edge_ca(root=True)
        edge.patch_desired({"b": 2})
        await running.holds({"a": 1, "b": 2})


async def test_the_model_of_the_module_is_announced(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(edge, monkeypatch, product="dtmi:example:nestor;1") as running:
        await running.connected()
        assert "model-id=dtmi%3Aexample%3Anestor%3B1" in edge.user_name
