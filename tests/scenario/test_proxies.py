"""Two proxies between a module and its edgeHub: real processes, the real SDK, a real registry's conversation."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from standin import address
from standin.edge import Edge
from support.module import Module
from support.server import Server, is_alive
from support.shapes import device_identity

_SDK = """
import json
from azure.iot.device import IoTHubModuleClient, Message
client = IoTHubModuleClient.create_from_edge_environment(websockets=True)
client.connect()
twin = client.get_twin()
client.patch_twin_reported_properties({"seen": twin["desired"]["color"]})
client.send_message_to_output(Message("hello"), "events")
print(json.dumps(twin["desired"]))
client.shutdown()
"""


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge({"color": "blue"}, web=True) as edge:
        yield edge


class Proxy(Server):
    """A server on port 443 of an address of its own."""

    def _answers(self) -> bool:
        return is_alive(443, json.loads(self.config.read_text("utf-8"))["listener"]["addresses"])


def proxy(place: Path, edge: Edge, here: str, routes: dict[str, Any], **more: Any) -> Server:
    """A proxy on an address of this machine, shown by the CA of the device."""
    place.mkdir()
    (place / "data").mkdir(mode=0o700)
    made = edge.server_certificate(here)
    for name, text in (("server.pem", made.chain), ("server-key.pem", made.key), ("bundle.pem", edge.trust_bundle)):
        (place / "data" / name).write_text(text, "utf-8")
    shown = {"source": "file", "certificate": "file:server.pem", "key": "file:server-key.pem"}
    listener = {"addresses": here, "port": 443, "hostnames": here, "serverCertificate": shown}
    return Proxy(place, {"listener": listener, "routes": routes, **more})


@pytest.fixture
def way(edge: Edge, tmp_path: Path) -> Iterator[str]:
    """The address of the lower of two proxies, each of which knows the next one only."""
    claims = [address.claim(443) for _ in range(2)]
    lower, upper = (claim.address for claim in claims)
    anchors = {"anchors": "file:bundle.pem"}
    on_top = {"all": {"to": f"https://{edge.address}", **anchors}}
    below = {name: {"to": "$parent", "identity": False, **anchors} for name in ("twins", "devices", "websocket")}
    with (
        proxy(tmp_path / "upper", edge, upper, on_top),
        proxy(tmp_path / "lower", edge, lower, below, proxy={"preset": "iotedge", "parent": upper}),
    ):
        yield lower
    for claim in claims:
        claim.release()


def test_the_sdk_speaks_mqtt_over_web_socket_through_two_proxies(edge: Edge, way: str) -> None:
    environment = {**edge.environment(), "IOTEDGE_GATEWAYHOSTNAME": way, "PATH": "/usr/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", _SDK], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["color"] == "blue"
    edge.wait_for_reported(lambda reported: reported.get("seen") == "blue", 5)
    assert [message.body for message in edge.messages] == [b"hello"]
    request, *_ = edge.web_requests
    assert request.headers["via"] == "1.1 nestor, 1.1 nestor" or request.headers["via"] == "1.1 nestor"
    assert edge.broken_rules == ()


def test_a_twin_is_read_over_https_through_two_proxies(edge: Edge, way: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=edge.trust_bundle)
    connection = HTTPSConnection(way, 443, context=context, timeout=10)
    for authorization, status in ((token_of(edge), 200), ("SharedAccessSignature sr=x&sig=x&se=1", 401)):
        connection.request("GET", "/twins/gateway-1/modules/nestor", headers={"Authorization": authorization})
        answer = connection.getresponse()
        assert answer.status == status
        told = answer.read()
        if status == 200:
            assert json.loads(told)["desired"]["color"] == "blue"
    connection.close()


def token_of(edge: Edge) -> str:
    """A token that the module signs itself."""
    from base64 import b64encode
    from urllib.parse import quote

    identity = edge.identity
    resource = quote(f"{identity.hub}/devices/{identity.device}/modules/{identity.module}", safe="")
    signature = b64encode(identity.sign(f"{resource}\n4102444800".encode())).decode()
    return f"SharedAccessSignature sr={resource}&sig={quote(signature, safe='')}&se=4102444800"


def test_a_module_vouches_at_edge_hub_for_the_certificate_that_it_verified(edge: Edge, tmp_path: Path) -> None:
    host = {"proxy": {"preset": "iotedge"}}
    with Module(tmp_path, edge, host) as module:
        module.become_ready()
        device = module.line
        identity = device.enrolled(device_identity("dev-1"))
        shown = device.but(identity=identity, user=None)
        answer = shown.ask("GET", "/twins/dev-1")
        assert answer.status == 200, answer.body
        assert json.loads(answer.body)["owner"] == "dev-1"
        assert device.but(user=None).ask("GET", "/twins/dev-1").status == 401
        assert shown.ask("GET", "/v2/").status == 404  # there is nobody above
        module.revoke(identity)
        assert shown.ask("GET", "/twins/dev-1").status == 401
