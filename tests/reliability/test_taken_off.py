"""What follows where a forwarder or a device is taken off, as docs/layers.md says: a parent, and a layer below it."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509

from nestor.naming import common_name_of
from support.device import Identity
from support.layers import PASSWORD, Forwarder, until
from support.server import Server
from support.shapes import device_identity, est_identity

pytestmark = pytest.mark.xdist_group("taken off")

LAYER = "layer3"
_OWN = "upstream-identity.pem"
_FORWARDERS = {LAYER: {"subject": f"CN={LAYER}", "names": "press-*", "statements": True}}
_ABOVE = {
    "labels": {"forwarder": {"profile": "forwarder", "authority": "local"}},
    "access": {"forwarders": _FORWARDERS},
}


@dataclass(frozen=True)
class Layers:
    """A parent, and the layer below it."""

    top: Server
    middle: Forwarder

    def press(self, number: int) -> Identity:
        """A device with an EST identity, got through both."""
        return self.middle.line().enrolled(est_identity(f"press-{number}"))

    def told(self, press: Identity, server: Server | None = None) -> tuple[int, str]:
        """What a device is told that asks for another certificate at the lower layer."""
        device = (server or self.middle).device(identity=press)
        answer = device.enroll(device_identity(common_name_of(press.certificate.subject)))
        return answer.status, "" if answer.status == 200 else answer.text

    def list_forwarders(self, forwarders: dict[str, Any]) -> None:
        """Change the settings of the parent while it runs."""
        document = json.loads(self.top.config.read_text("utf-8"))
        document["access"]["forwarders"] = forwarders
        applied = self.top.log().count("settings applied")
        self.top.config.write_text(json.dumps(document), "utf-8")
        assert self.top._process is not None
        self.top._process.send_signal(signal.SIGHUP)
        until(lambda: self.top.log().count("settings applied") > applied)


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layers]:
    place = tmp_path_factory.mktemp("layers")
    with Server(place / "top", _ABOVE) as top:
        top.add_user(LAYER, PASSWORD, profiles=("forwarder",))
        password = place / "parent.password"
        password.write_text(PASSWORD, "utf-8")
        password.chmod(0o600)
        upstream = {
            "url": top.url,
            "anchors": f"file:{top.ca_file}",
            "user": LAYER,
            "password": f"file:{password}",
            "identity": {"name": LAYER, "label": "forwarder"},
        }
        with Forwarder(place / "middle", upstream) as middle:
            middle.ready()
            until((middle.data / _OWN).exists)
            yield Layers(top, middle)


def _check_shut_out(layers: Layers, press: Identity, why: str) -> None:
    """The forwarder gets nothing, and says so; what it shows stays, and what the device has is good elsewhere."""
    status, told = layers.told(press)
    assert (status, why in told) == (502, True), told
    assert "its operator looks at its upstream settings" in told
    assert layers.middle.line().get("cacerts").status == 200
    assert layers.told(press, layers.top)[0] == 200


def test_a_forwarder_whose_entry_is_taken_out_gets_nothing_for_its_devices_from_the_next_request_on(
    layers: Layers,
) -> None:
    press = layers.press(7)
    assert layers.told(press)[0] == 200
    layers.list_forwarders({})
    _check_shut_out(layers, press, "Only a forwarder may tell who asks")
    layers.list_forwarders(_FORWARDERS)
    assert layers.told(press)[0] == 200


def test_a_revoked_forwarder_gets_nothing_for_its_devices_and_a_new_one_in_its_place_has_the_same_scope(
    layers: Layers,
) -> None:
    press, own = layers.press(8), layers.middle.data / _OWN
    assert layers.told(press)[0] == 200
    layers.top.command("cert", "revoke", f"{x509.load_pem_x509_certificate(own.read_bytes()).serial_number:x}")
    _check_shut_out(layers, press, "has been revoked")
    assert "upstream" in layers.middle.line().ask("GET", "/readyz").text
    layers.top.add_user(LAYER, PASSWORD, profiles=("forwarder",))
    (layers.top.place.parent / "parent.password").write_text(PASSWORD, "utf-8")
    until(lambda: layers.told(press)[0] == 200)
    assert layers.middle.line().ask("GET", "/readyz").status == 200


def test_a_revoked_device_gets_nothing_through_a_forwarder_and_hears_so_there_with_the_line_cut(layers: Layers) -> None:
    press = layers.press(9)
    assert layers.told(press)[0] == 200
    layers.top.revoke(press)
    status, told = layers.told(press)
    assert (status, "has been revoked" in told) == (403, True)
    layers.top.stop()
    try:
        assert layers.told(press)[0] == 503
        layers.middle.revoke(press)
        status, told = layers.told(press)
        assert (status, "has been revoked" in told, "localhost:" in told) == (403, True, False)
    finally:
        layers.top.start()
