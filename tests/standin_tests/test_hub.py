"""The stand-in's edgeHub as the real SDK meets it: connect, twin, methods, messages."""

import time
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient, Message, MethodResponse
from azure.iot.device.exceptions import ClientError, CredentialError

from standin.edge import Edge
from standin.errors import StandInError
from standin_tests.conftest import THE_SDK, MakeClient
from support.process import wait_for

pytestmark = THE_SDK


def test_a_module_connects_with_a_token_that_the_workload_api_signed(edge: Edge, client: IoTHubModuleClient) -> None:
    assert client.connected
    assert edge.connected
    assert edge.connections == 1
    assert edge.workload_calls == ("trust-bundle", "sign")


def test_a_token_of_another_key_is_refused(edge: Edge, make_client: MakeClient) -> None:
    client = make_client()
    edge.recreate_module()
    with pytest.raises(CredentialError):
        client.connect()
    assert (edge.connections, edge.refusals) == (0, 1)


def test_an_expired_token_is_refused(edge: Edge) -> None:
    identity = edge.identity
    resource = f"{identity.hub}/devices/{identity.device}/modules/{identity.module}"
    assert identity.expiry("someone", f"SharedAccessSignature sr={resource}&sig=x&se=1") is None


def test_what_the_module_announces_of_itself_is_seen(edge: Edge, make_client: MakeClient) -> None:
    make_client(product_info="dtmi:nestor:Nestor;1").connect()
    assert "model-id=dtmi%3Anestor%3ANestor%3B1" in edge.user_name


def test_a_newcomer_of_the_same_name_replaces_the_one_who_was_there(edge: Edge, make_client: MakeClient) -> None:
    first, second = make_client(connection_retry=False), make_client()
    first.connect()
    second.connect()
    wait_for(lambda: not first.connected, 5)
    assert second.connected
    assert edge.connected


def test_the_twin_is_read_whole(client: IoTHubModuleClient) -> None:
    assert client.get_twin() == {"desired": {"log": {"level": "info"}, "$version": 1}, "reported": {"$version": 1}}


def test_a_patch_is_told_with_its_version_and_null_deletes(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    assert edge.patch_desired({"log": None, "reporting": {"interval": "5s"}}) == 2
    wait_for(lambda: bool(patches), 5)
    assert patches == [{"log": None, "reporting": {"interval": "5s"}, "$version": 2}]
    assert edge.desired == {"reporting": {"interval": "5s"}}


def test_a_replacement_is_told_as_what_changed(edge: Edge, client: IoTHubModuleClient) -> None:
    patches = listen(client)
    edge.replace_desired({"log": {"format": "json"}})
    wait_for(lambda: bool(patches), 5)
    assert patches == [{"log": {"level": None, "format": "json"}, "$version": 2}]
    assert client.get_twin()["desired"] == {"log": {"format": "json"}, "$version": 2}


def test_reported_properties_are_merged_and_can_be_waited_for(edge: Edge, client: IoTHubModuleClient) -> None:
    client.patch_twin_reported_properties({"state": {"a": 1, "b": 2}})
    client.patch_twin_reported_properties({"state": {"a": None}})
    assert edge.wait_for_reported(lambda reported: "state" in reported) == {"state": {"b": 2}}
    assert [report.status for report in edge.reports] == [204, 204]
    assert client.get_twin()["reported"]["$version"] == 3


def test_a_report_that_breaks_a_rule_is_answered_with_400_and_changes_nothing(
    edge: Edge, client: IoTHubModuleClient
) -> None:
    with pytest.raises(ClientError) as refused:
        client.patch_twin_reported_properties({"gw1.plant.example": 1})
    assert "400" in str(refused.value.__cause__)
    assert edge.reported == {}
    assert edge.broken_rules == ("The name 'gw1.plant.example' below / has '.', which no name may have.",)


def test_waiting_ends_with_what_is_reported_instead(edge: Edge, client: IoTHubModuleClient) -> None:
    client.patch_twin_reported_properties({"state": "early"})
    with pytest.raises(StandInError, match="early"):
        edge.wait_for_reported(lambda reported: reported["state"] == "late", 0.1)


def test_a_method_is_answered(edge: Edge, client: IoTHubModuleClient) -> None:
    def answer(request: Any) -> None:
        client.send_method_response(MethodResponse.create_from_method_request(request, 207, {"got": request.payload}))

    client.on_method_request_received = answer
    assert edge.invoke("getStatus", {"a": [1]}) == (207, {"got": {"a": [1]}})


def test_a_method_that_nobody_answers_ends_with_its_time(edge: Edge, client: IoTHubModuleClient) -> None:
    client.on_method_request_received = lambda _request: None
    with pytest.raises(StandInError, match=r"did not answer getStatus within 0\.1 s"):
        edge.invoke("getStatus", None, 0.1)


def test_an_answer_larger_than_iot_hub_takes_never_arrives(edge: Edge, client: IoTHubModuleClient) -> None:
    def answer(request: Any) -> None:
        payload = {"text": "x" * 128 * 1024}
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, payload))

    client.on_method_request_received = answer
    with pytest.raises(StandInError, match="IoT Hub takes 131072"):
        edge.invoke("getStatus", None)


def test_a_method_of_a_module_that_is_not_there_fails_at_once(edge: Edge) -> None:
    start = time.monotonic()
    with pytest.raises(StandInError, match="not there"):
        edge.invoke("getStatus", None)
    assert time.monotonic() - start < 1


def test_a_message_arrives_with_its_output_its_properties_and_its_type(edge: Edge, client: IoTHubModuleClient) -> None:
    message = Message(b'{"serial":"1f"}', content_type="application/json", content_encoding="utf-8")
    message.custom_properties["kind"] = "issued & more"
    client.send_message_to_output(message, "events")
    (arrived,) = edge.wait_for_messages(1)
    assert (arrived.output, arrived.body, arrived.content_type) == ("events", b'{"serial":"1f"}', "application/json")
    assert arrived.properties == {"kind": "issued & more"}


def listen(client: IoTHubModuleClient) -> list[dict[str, Any]]:
    """The patches that a module is told, as they come; the twin is asked for first, as the SDK needs it."""
    patches: list[dict[str, Any]] = []
    client.get_twin()
    client.on_twin_desired_properties_patch_received = patches.append
    return patches
