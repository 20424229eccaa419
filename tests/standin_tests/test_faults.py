"""Every fault of the stand-in is one that the real SDK sees."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message
from azure.iot.device.exceptions import ClientError, ConnectionFailedError, CredentialError

from standin.edge import Edge
from standin.errors import StandInError
from standin.faults import Delivery, Faults, Refusal
from standin_tests.conftest import THE_SDK, Caller, MakeClient
from standin_tests.test_hub import listen
from support.process import wait_for

pytestmark = THE_SDK


def hangs(work: Callable[[], Any], seconds: float = 0.3) -> bool:
    """Whether a call does not come back."""
    thread = threading.Thread(target=lambda: _quietly(work), daemon=True)
    thread.start()
    thread.join(seconds)
    return thread.is_alive()


def _quietly(work: Callable[[], Any]) -> None:
    with suppress(Exception):  # the SDK cancels the call when it shuts down
        work()


def settled(client: IoTHubModuleClient) -> IoTHubModuleClient:
    """A client that has read its twin, so that its own request for it is over."""
    client.get_twin()
    return client


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal.UNAVAILABLE, ConnectionFailedError),
        (Refusal.BAD_CREDENTIALS, CredentialError),
        (Refusal.NOT_AUTHORIZED, CredentialError),
    ],
)
def test_whoever_connects_is_turned_away(
    edge: Edge, make_client: MakeClient, refusal: Refusal, error: type[Exception]
) -> None:
    edge.faults.refusal = refusal
    with pytest.raises(error):
        make_client(connection_retry=False).connect()
    edge.faults.clear()
    make_client().connect()
    assert (edge.connections, edge.refusals) == (1, 1)


def test_a_lost_answer_leaves_the_call_hanging_and_the_next_one_is_answered(
    edge: Edge, make_client: MakeClient
) -> None:
    client = make_client(ensure_desired_properties=False)
    client.connect()
    edge.faults.lost_answers = 1
    assert hangs(client.get_twin)
    assert client.get_twin()["desired"]["$version"] == 1
    assert edge.twin_reads == 2


def test_what_was_reported_is_taken_though_the_answer_is_lost(edge: Edge, client: IoTHubModuleClient) -> None:
    settled(client)
    edge.faults.lost_answers = 1
    assert hangs(lambda: client.patch_twin_reported_properties({"state": 1}))
    assert edge.reported == {"state": 1}


@pytest.mark.parametrize("status", [400, 429, 500])
def test_requests_about_the_twin_end_in_a_status(edge: Edge, client: IoTHubModuleClient, status: int) -> None:
    settled(client)
    edge.faults.twin_status = status
    for work in (client.get_twin, lambda: client.patch_twin_reported_properties({"state": 1})):
        with pytest.raises(ClientError) as refused:
            work()
        assert str(status) in str(refused.value.__cause__)
    assert edge.reported == {}


def test_a_slow_answer_comes_late(edge: Edge, client: IoTHubModuleClient) -> None:
    settled(client)
    edge.faults.answer_delay = 0.2
    start = time.monotonic()
    client.get_twin()
    assert time.monotonic() - start >= 0.2


def test_an_empty_twin_has_no_version(edge: Edge, make_client: MakeClient) -> None:
    edge.faults.twin_empty = True
    client = make_client(ensure_desired_properties=False)
    assert client.get_twin() == {"desired": {}, "reported": {}}


def test_metadata_is_in_twins_and_patches(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.faults.metadata = True
    assert "$metadata" in client.get_twin()["desired"]
    edge.patch_desired({"a": 1})
    wait_for(lambda: bool(patches), 5)
    assert "$metadata" in patches[0]


def test_patches_that_were_held_come_in_reverse(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.faults.delivery = Delivery.HELD
    edge.patch_desired({"a": 1})
    edge.patch_desired({"a": 2})
    assert patches == []
    edge.release_patches(reverse=True)
    wait_for(lambda: len(patches) == 2, 5)
    assert {patch["$version"] for patch in patches} == {2, 3}


def test_a_skipped_patch_leaves_a_gap(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.faults.delivery = Delivery.SKIPPED
    edge.patch_desired({"a": 1})
    edge.faults.delivery = Delivery.IN_ORDER
    edge.patch_desired({"b": 1})
    wait_for(lambda: bool(patches), 5)
    assert patches == [{"b": 1, "$version": 3}]
    assert edge.desired["a"] == 1


def test_a_patch_can_come_without_its_version(edge: Edge, make_client: MakeClient) -> None:
    client = make_client(ensure_desired_properties=False)
    patches = listen(client)
    edge.faults.delivery = Delivery.UNVERSIONED
    edge.patch_desired({"a": 1})
    wait_for(lambda: bool(patches), 5)
    assert patches == [{"a": 1}]


def test_bytes_that_are_no_patch_reach_the_module(
    edge: Edge, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "azure")  # which the product silences in its process
    client = make_client(ensure_desired_properties=False)
    patches = listen(client)
    edge.babble(b"{no json")
    wait_for(lambda: "JSONDecodeError" in caplog.text, 5)
    assert patches == []


def test_subscriptions_can_be_lost_under_a_connection_that_lives(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.lose_subscriptions()
    edge.patch_desired({"a": 1})
    assert client.connected
    assert edge.connections == 1
    with pytest.raises(StandInError, match="not there"):
        edge.invoke("getStatus")
    assert patches == []


def test_a_trust_bundle_of_another_device_trusts_no_hub_of_this_one(edge: Edge, make_client: MakeClient) -> None:
    with Edge(hub_present=False) as other:
        edge.faults.workload_trust = other.trust_bundle
    with pytest.raises(ClientError) as refused:
        make_client(connection_retry=False).connect()
    assert any(isinstance(cause, ssl.SSLError) for cause in causes(refused.value))


def test_a_key_deleted_while_the_module_was_away_is_only_missing(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.hub_leaves()
    wait_for(lambda: not client.connected, 5)
    edge.patch_desired({"log": None})
    edge.hub_returns()
    edge.wait_connected()
    wait_for(lambda: bool(patches), 5)
    assert patches == [{"$version": 2}]


def test_a_message_that_is_not_acknowledged_keeps_the_sender_waiting(edge: Edge, client: IoTHubModuleClient) -> None:
    edge.faults.acknowledges = False
    assert hangs(lambda: client.send_message_to_output(Message("late"), "events"))
    assert len(edge.messages) == 1


def test_a_dropped_connection_comes_back_with_its_session(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.drop()
    edge.wait_until(lambda: edge.connections == 2, 10)
    edge.patch_desired({"a": 1})
    wait_for(lambda: bool(patches), 5)


def test_a_forgotten_session_leaves_the_module_connected_and_deaf(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    assert edge.subscriptions
    edge.forget_session()
    edge.wait_until(lambda: edge.connections == 2, 10)
    assert not edge.subscriptions
    wait_for(lambda: client.connected, 5)
    edge.patch_desired({"a": 1})
    with pytest.raises(StandInError, match="not there"):
        edge.invoke("getStatus")
    assert patches == []


def test_a_hub_that_is_gone_refuses_and_one_that_is_back_takes(edge: Edge, client: IoTHubModuleClient) -> None:
    edge.hub_leaves()
    with pytest.raises(ConnectionRefusedError), socket.create_connection((edge.address, 8883)):
        pass
    edge.hub_returns()
    edge.wait_until(lambda: edge.connections == 2, 10)


def test_a_renewed_edge_ca_under_the_same_root_lets_everybody_back_in(
    edge: Edge, client: IoTHubModuleClient, workload: Caller
) -> None:
    before = edge.trust_bundle
    edge.renew_edge_ca()
    edge.wait_until(lambda: edge.connections == 2, 10)
    assert workload.ask("GET", "/trust-bundle")[1]["certificate"] == edge.trust_bundle != before


def test_under_a_new_root_only_a_new_client_trusts_the_hub(edge: Edge, make_client: MakeClient) -> None:
    old = make_client(connection_retry=False)
    edge.renew_edge_ca(root=True)
    with pytest.raises(ClientError) as refused:
        old.connect()
    assert any(isinstance(cause, ssl.SSLError) for cause in causes(refused.value))
    make_client().connect()
    assert edge.connected


def causes(error: BaseException | None) -> list[BaseException]:
    """An error, and what led to it."""
    return [] if error is None else [error, *causes(error.__cause__)]


def test_no_token_where_signing_fails(edge: Edge, make_client: MakeClient) -> None:
    edge.faults.workload_failing = frozenset({"sign"})
    with pytest.raises(ValueError, match="Could not create a SasToken"):
        make_client()


def test_nothing_where_the_socket_is_gone(edge: Edge, make_client: MakeClient) -> None:
    edge.workload_leaves()
    assert not edge.socket.exists()
    with pytest.raises(OSError, match="No such file"):
        make_client()
    edge.workload_returns()
    make_client().connect()


def test_a_hanging_workload_api_takes_requests_and_answers_when_it_is_well_again(edge: Edge, workload: Caller) -> None:
    edge.faults.workload_hangs = True
    waiting = workload.send("GET", "/trust-bundle")
    assert waiting.sock is not None
    waiting.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        waiting.getresponse()
    waiting.close()
    edge.faults.clear()
    assert workload.ask("GET", "/trust-bundle")[0] == 200


def test_clearing_ends_every_fault(edge: Edge) -> None:
    edge.faults.lost_answers, edge.faults.twin_status, edge.faults.acknowledges = 3, 500, False
    edge.faults.clear()
    assert edge.faults == Faults()
