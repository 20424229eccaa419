"""iotedgedev makes a manifest of each template, as `iotedgedev genconfig` does for people; it needs no engine."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nestor.settings import judge
from support.manifests import (
    CREATE_OPTIONS,
    MANIFEST,
    NESTED,
    ROOT,
    TEMPLATES,
    beyond_limits,
    faults,
    modules,
    options_text,
    read,
    twin_of,
)

IOTEDGEDEV = ROOT / ".iotedgedev" / "bin" / "iotedgedev"
NO_TELEMETRY = "[DEFAULT]\nfirsttime = no\ncollect_telemetry = no\n"


@pytest.fixture(params=(*TEMPLATES, *NESTED))
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifest(template: str, tmp_path: Path) -> dict[str, Any]:
    """What iotedgedev makes of a template, in a copy of the solution."""
    if not IOTEDGEDEV.exists():
        pytest.skip("iotedgedev is not installed: make iotedgedev")
    _solution(tmp_path, template)
    home = tmp_path / "home"
    (home / ".iotedgedev").mkdir(parents=True)
    (home / ".iotedgedev" / "setting.ini").write_text(NO_TELEMETRY, "utf-8")
    command = (str(IOTEDGEDEV), "solution", "genconfig", "-f", template, "-P", "amd64")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}  # noqa: TID251 -- to find git
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    name = template.replace(".template.json", ".amd64.json")
    return dict(json.loads((tmp_path / "config" / name).read_text("utf-8")))


def _solution(place: Path, template: str) -> None:
    (place / "modules").symlink_to(ROOT / "modules")
    (place / template).write_text((ROOT / template).read_text("utf-8"), "utf-8")
    (place / ".env").write_text((ROOT / ".env.example").read_text("utf-8"), "utf-8")


def test_a_template_becomes_a_manifest_that_the_runtime_takes(manifest: dict[str, Any]) -> None:
    assert faults(manifest, MANIFEST) == []
    assert list(beyond_limits(manifest)) == []


def test_nothing_is_left_to_be_filled_in(manifest: dict[str, Any]) -> None:
    assert "${" not in json.dumps(manifest)
    module = modules(manifest)["nestor"]
    assert module["settings"]["image"] == "example.azurecr.io/nestor:0.1.0-amd64"


def test_create_options_reach_the_engine_as_the_template_says(template: str, manifest: dict[str, Any]) -> None:
    for name, module in modules(read(template)).items():
        options = json.loads(options_text(modules(manifest)[name]))
        assert options == json.loads(options_text(module))
        assert faults(options, CREATE_OPTIONS) == []


def test_the_twin_is_a_configuration(manifest: dict[str, Any]) -> None:
    assert judge(twin_of(manifest)).access.gateways == ("gw*",)
