"""What a person can do with the stand-in, with the real SDK as the module."""

from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from azure.iot.device import IoTHubModuleClient, Message, MethodResponse
from cryptography import x509

from standin.desk import COMMANDS, Desk
from standin.edge import Edge
from standin.errors import StandInError
from standin.module import Module
from standin_tests.conftest import THE_SDK
from support.process import wait_for

pytestmark = THE_SDK


@pytest.fixture
def desk(edge: Edge, tmp_path: Path) -> Desk:
    """A desk whose module is not started as a process: the test plays it."""
    return Desk(edge, Module(edge, tmp_path, {}))


def test_every_command_is_in_the_table_of_help(desk: Desk) -> None:
    assert [line.split()[0] for line in desk.do("help").splitlines()[:-1]] == list(COMMANDS)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("dance", "There is no command dance; help shows them all."),
        ("patch", "no JSON"),
        ("patch [1]", "no JSON object"),
        ("patch @/nowhere.json", "/nowhere.json cannot be read: No such file or directory."),
        ("method", "Which method"),
        ("method getStatus", "not there to be called"),
        ("enroll", "Which device"),
        ("reported nothing", "nothing is not among the reported properties: none."),
        ("log many", "many is no number of lines"),
        ("messages 0", "0 is no number of lines"),
        ("online", "there already"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(desk: Desk, line: str, sentence: str) -> None:
    with pytest.raises(StandInError, match=sentence):
        desk.do(line)


def test_an_empty_line_does_nothing(desk: Desk) -> None:
    assert desk.do("  ") == ""


def test_the_desired_properties_are_shown_with_their_version(desk: Desk) -> None:
    assert '"$version": 1' in desk.do("desired")


def test_a_patch_without_a_module_tells_that_it_waits(desk: Desk) -> None:
    assert "not connected" in desk.do('patch {"log": {"level": "debug"}}')
    assert desk.edge.desired == {"log": {"level": "debug"}}


@pytest.mark.parametrize("quoted", ['{"a": "b c"}', '\'{"a": "b c"}\''])
def test_json_may_stand_in_the_quotes_of_a_shell(desk: Desk, quoted: str) -> None:
    desk.do(f"replace {quoted}")
    assert desk.edge.desired == {"a": "b c"}


def test_json_may_stand_in_a_file(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "twin.json").write_text('{"a": 1}')
    desk.do(f"replace @{tmp_path}/twin.json")
    assert desk.edge.desired == {"a": 1}


def test_a_patch_is_shown_as_the_module_acknowledged_it(desk: Desk, client: IoTHubModuleClient) -> None:
    client.patch_twin_reported_properties({"log": {"value": 1, "ac": 200, "av": 1, "ad": "an earlier one"}})

    def acknowledge(patch: dict[str, Any]) -> None:
        told = {"value": 1, "ac": 400, "av": patch["$version"], "ad": "log/level: no such level"}
        client.patch_twin_reported_properties({"log": told})

    client.on_twin_desired_properties_patch_received = acknowledge
    answer = desk.do('patch {"log": {"level": "loud"}, "gone": null}')
    assert answer == "Desired properties, version 2.\n  log  400  log/level: no such level"


def test_reported_properties_are_shown_whole_or_one(desk: Desk, client: IoTHubModuleClient) -> None:
    assert desk.do("reported") == "Nothing is reported yet."
    client.patch_twin_reported_properties({"a": {"b": 1}, "c": "é"})
    assert '"c": "é"' in desk.do("reported")
    assert desk.do("reported a") == '{\n  "b": 1\n}'


def test_a_method_is_shown_with_status_and_answer(desk: Desk, client: IoTHubModuleClient) -> None:
    def answer(request: Any) -> None:
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, request.payload))

    client.on_method_request_received = answer
    assert desk.do('method getStatus {"a": 1}') == 'status 200\n{\n  "a": 1\n}'
    assert desk.do("method getStatus") == "status 200\n{}"


def test_the_last_messages_are_shown(desk: Desk, client: IoTHubModuleClient) -> None:
    assert desk.do("messages") == "No message yet."
    for body in ("first", "second", '{"n":3}'):
        client.send_message_to_output(Message(body), "events")
    desk.edge.wait_for_messages(3)
    assert desk.do("messages 2") == 'events: second\nevents: {\n  "n": 3\n}'


def test_the_hub_goes_and_comes(desk: Desk, client: IoTHubModuleClient) -> None:
    desk.do("offline")
    with pytest.raises(StandInError, match="gone already"):
        desk.do("offline")
    assert "not connected, 1 so far" in desk.do("status")
    assert "edgeHub is back; connected after " in desk.do("online")
    assert desk.edge.connections == 2


def test_quitting_is_remembered(desk: Desk) -> None:
    desk.do("quit")
    assert desk.finished


def test_a_device_gets_a_certificate_from_the_module_as_a_process(edge: Edge, tmp_path: Path) -> None:
    module = Module(edge, tmp_path, {}, host={"listener": {"hostnames": edge.address}})
    desk = Desk(edge, module)
    module.start()
    try:
        wait_for(lambda: enrolls(desk), 30, every=0.2, unless=lambda: module.ended is not None)
        assert "nestor_" in urlopen(module.metrics, timeout=5).read().decode()
        assert "started again; connected after" in desk.do("restart")
        assert desk.do("log 1")
    finally:
        module.stop()
    certificate = x509.load_pem_x509_certificate((tmp_path / "gateway-7.cert.pem").read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=gateway-7"


def enrolls(desk: Desk) -> bool:
    """Whether the module is ready for it."""
    try:
        return "gateway-7" in desk.do("enroll gateway-7")
    except StandInError:
        return False


def test_a_module_that_ends_by_itself_is_told(edge: Edge, tmp_path: Path) -> None:
    module = Module(edge, tmp_path, {}, host={"listener": {"port": "many"}})
    module.start()
    wait_for(lambda: module.ended is not None, 20)
    assert f"ended with exit code {module.ended}; log tells why" in Desk(edge, module).do("status")
