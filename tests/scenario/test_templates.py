"""The templates of layers in earnest: a server by that of the top, and below it a module by that of the middle."""

import json
from pathlib import Path

import pytest

from standin.deployment import Deployment, read_template
from standin.edge import Edge
from standin.module import Module
from support.layers import until
from support.manifests import NESTED, ROOT
from support.server import Server

LAYER = "layer3"


def deployed(name: str) -> Deployment:
    return read_template((ROOT / name).read_text("utf-8"), "nestor", "gw.plant.example")


@pytest.mark.xdist_group("module")
def test_a_module_comes_up_below_its_parent_as_the_templates_say(tmp_path: Path) -> None:
    top, middle = deployed(NESTED[0]), deployed(NESTED[1])
    password, place = tmp_path / "parent.password", tmp_path / "middle"
    place.mkdir()
    above = {
        key: value for key, value in top.desired.items() if key not in {"proxy", "routes", "reporting"}
    }  # they want an edge
    with Server(tmp_path / "top", above) as parent, Edge() as edge:
        parent.command(
            "user", "add", LAYER, "--profiles", "forwarder", "--one-time", "--generate", "--password-out", str(password)
        )
        ca = json.loads(parent.command("ca", "show", "--json").stdout)
        known = {"url": parent.url, "fingerprint": ca["sha256"], "password": f"file:{password}"}
        edge.replace_desired({**middle.desired, "upstream": {**middle.desired["upstream"], **known}})
        host = {"twin": {"directories": str(tmp_path)}}
        environment = {**middle.environment, "NESTOR_TWIN_MAY": f"{middle.environment['NESTOR_TWIN_MAY']}, files"}
        module = Module(edge, place, environment, host=host)
        module.start()
        try:
            until(lambda: "upstream identity" in module.log.read_text("utf-8"), 30)
            edge.wait_for_reported(lambda said: bool(said.get("upstreamStatus", {}).get("reached")), seconds=30)
        finally:
            module.stop()
    assert edge.reported["upstream"]["ac"] == 200
    assert f"device={LAYER} profile=forwarder" in parent.log()
