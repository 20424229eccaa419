"""The image runs as the deployment template says, may nothing, and serves devices like any other Nestor.

Every container is made by the engine's create call from the createOptions of the template, as edgeAgent makes it.
"""

import json
import subprocess
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from nestor import __version__
from standin.deployment import read_template
from standin.edge import Edge
from support.container import Container, template_options
from support.engine import Engine, engine, image_under_test
from support.manifests import ROOT, TEMPLATES
from support.openssl import tool
from support.pages import in_container, section
from support.process import wait_for
from support.shapes import device_identity, p256

pytestmark = pytest.mark.xdist_group("image")

MEGABYTE = 1 << 20
LITTLE = 90 * MEGABYTE
USER = "13625"
WORKLOAD_SOCKET = "/run/iotedge/workload.sock"
WORKLOAD = {"IOTEDGE_WORKLOADURI": f"unix://{WORKLOAD_SOCKET}"}
QUARTER = 250_000_000
"""A quarter of a core, in billionths of one."""


@pytest.fixture(scope="module")
def image() -> str:
    return image_under_test()


@pytest.fixture(scope="module")
def docker(image: str) -> Iterator[Engine]:
    with engine() as one:
        yield one


@pytest.fixture(scope="module")
def running(docker: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with Container(docker, image, tmp_path_factory.mktemp("container")) as one:
        yield one


@pytest.fixture
def another(docker: Engine, image: str, tmp_path: Path) -> Iterator[Container]:
    one = Container(docker, image, tmp_path)
    yield one
    one.forget()


def told_of(image: str) -> dict[str, Any]:
    told = subprocess.run((tool("podman"), "image", "inspect", image), capture_output=True, text=True, check=True)
    return dict(json.loads(told.stdout)[0])


def test_the_engine_takes_the_create_options_of_the_template(docker: Engine, image: str) -> None:
    options = template_options()
    was_there = docker.ask("GET", "/volumes/nestor-data")[0] == 200
    status, told = docker.create("nestor-test-options", {**options, "Image": image})
    try:
        assert status == 201, told
        host = docker.inspect("nestor-test-options")["HostConfig"]
    finally:
        docker.remove("nestor-test-options")
        if not was_there:
            docker.ask("DELETE", "/volumes/nestor-data?force=1")
    asked = options["HostConfig"]
    for key in ("ReadonlyRootfs", "Memory", "PidsLimit"):
        assert host[key] == asked[key]
    assert host["PortBindings"]["8085/tcp"][0]["HostPort"] == "8085"
    assert [bind.split(":")[:2] for bind in host["Binds"]] == [["nestor-data", "/data"]]
    assert "/tmp" in host["Tmpfs"]


@pytest.mark.parametrize(
    "wrong", [{"ReadonlyRootfs": "yes"}, {"CapDrop": {"ALL": True}}, {"PortBindings": ["8085"]}, {"Memory": "256m"}]
)
def test_the_engine_refuses_what_it_cannot_read(docker: Engine, image: str, wrong: Mapping[str, Any]) -> None:
    options = template_options()
    status, _ = docker.create("nestor-test-wrong", {"Image": image, "HostConfig": {**options["HostConfig"], **wrong}})
    docker.remove("nestor-test-wrong")
    assert status >= 400


def test_the_image_says_what_it_is(image: str) -> None:
    image_told = told_of(image)
    told = image_told["Config"]
    assert told["User"] == f"{USER}:{USER}"
    assert set(told["ExposedPorts"]) == {"8085/tcp", "9600/tcp"}
    assert (told["Entrypoint"], told["Cmd"], told["StopSignal"]) == (["nestor"], ["serve"], "SIGTERM")
    assert image_told["Healthcheck"]["Test"] == ["CMD", "nestor", "health"]
    assert told["Labels"]["org.opencontainers.image.version"] == __version__
    assert not told.get("Volumes")


def test_it_runs_without_any_power(running: Container) -> None:
    status = dict(line.split(":\t", 1) for line in running.run("cat", "/proc/1/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == [USER] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("place", ["/opt/nestor/mine", "/usr/local/bin/mine", "/etc/mine"])
def test_nothing_but_its_data_can_be_written(running: Container, place: str) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="touch"):
        running.run("touch", place, user="0")
    running.run("touch", "/data/mine", "/tmp/mine")


def test_a_device_enrolls_and_renews(running: Container) -> None:
    running.run("nestor", "user", "add", "line1-7", "--generate", "--password-out", "/data/password")
    device = running.device(user=("line1-7", running.run("cat", "/data/password").strip()))
    identity = device.enrolled(device_identity("line1-7", p256()))
    renewed = running.device(identity=identity).enroll(device_identity("line1-7", p256()))
    assert renewed.status == 200
    assert "line1-7" in running.run("nestor", "cert", "list")


def test_the_twin_rules_it(another: Container) -> None:
    template = (ROOT / TEMPLATES[0]).read_text("utf-8")
    with Edge() as edge:
        deployment = read_template(template, "nestor", edge.address)
        edge.replace_desired(deployment.desired)
        edge.socket.chmod(0o666)  # as the runtime has it
        another.create(
            {**deployment.environment, **edge.environment(), **WORKLOAD},
            Binds=[f"{edge.socket}:{WORKLOAD_SOCKET}"],
        )
        another.start()
        edge.wait_for_reported(lambda told: told.get("profiles", {}).get("ac") == 200, 30)
        version = edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": "2d"}}})
        edge.wait_for_reported(lambda told: told["profiles"].get("av") == version, 30)
        another.run("nestor", "user", "add", "line1-7", "--generate", "--password-out", "/data/password")
        device = another.device(user=("line1-7", another.run("cat", "/data/password").strip()))
        certificate = device.enrolled(device_identity("line1-7", p256())).certificate
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(days=3)
        edge.patch_desired({"access": {"gateways": "*"}})
        refused = edge.wait_for_reported(lambda told: told["access"].get("ac") != 200, 30)
        assert "gateways" in refused["access"]["ad"]
        assert edge.invoke("getStatus")[0] == 200
        assert another.memory() < LITTLE
        assert edge.broken_rules == ()


def test_the_walk_through_makes_the_config_of_a_device(running: Container) -> None:
    for words in in_container(section("dps-walkthrough.md", "4. The device")):
        known = [word.replace("$scope", "0ne00112233") for word in words]
        if "--device" not in known:
            running.run("nestor", *known)
    script = running.run("cat", "/data/gw4.sh")
    assert "0ne00112233" in script
    assert running.run("cat", "/data/gw4.txt").strip() in script


def test_what_it_issued_outlives_the_container(docker: Engine, image: str, another: Container, tmp_path: Path) -> None:
    another.create()
    another.start()
    before = another.run("nestor", "ca", "show", "--json")
    docker.remove(another.name)
    with Container(docker, image, tmp_path, another.volume) as successor:
        assert successor.run("nestor", "ca", "show", "--json") == before


def test_it_starts_at_a_quarter_of_a_core(another: Container) -> None:
    another.create(None, NanoCpus=QUARTER)
    first = another.start()
    another.stop()
    again = another.start()
    assert (first < 10, again < 10) == (True, True), (first, again)


def test_it_ends_when_told(another: Container) -> None:
    another.create()
    another.start()
    began = time.monotonic()
    another.stop()
    assert time.monotonic() - began < 8
    assert another.engine.inspect(another.name)["State"]["ExitCode"] == 0


def test_it_is_content_with_little_memory(running: Container) -> None:
    assert running.memory() < LITTLE


def test_its_health_is_told(running: Container) -> None:
    command = (tool("podman"), "healthcheck", "run", running.name)
    wait_for(lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0, 30, every=0.2)


def test_nothing_in_it_installs_or_tests(running: Container) -> None:
    found = running.run(
        "python3",
        "-c",
        "import os; print(*[os.path.join(place, name) for place, names, _ in os.walk('/opt') for name in names])\n"
        "import importlib.util as util; print(*filter(util.find_spec, ('pip', 'ensurepip', 'setuptools', 'pytest')))",
    )
    directories, modules = found.split("\n")[:2]
    assert modules == ""
    assert [name for name in directories.split() if name.rsplit("/", 1)[1] in {"test", "tests", "testing"}] == []


def test_all_of_it_is_compiled(running: Container) -> None:
    packages = "import glob; print(*glob.glob('/opt/nestor/lib/python3*/site-packages/**/*.py', recursive=True))"
    compiled = packages.replace("*.py'", "*.pyc'")
    sources, bytecode = (running.run("python3", "-c", code).split() for code in (packages, compiled))
    assert len(sources) == len(bytecode) > 1000


def test_its_bill_of_materials_tells_what_is_locked(running: Container) -> None:
    bill = json.loads(running.run("cat", "/opt/nestor/sbom.json"))
    told = {
        canonicalize_name(one["name"]): one["version"]
        for one in bill["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    lock = (ROOT / "modules" / "nestor" / "requirements.lock").read_text("utf-8")
    pins = dict(line.split(" ")[0].split("==") for line in lock.splitlines() if "==" in line and line[0] != " ")
    assert told == {canonicalize_name(name): version for name, version in pins.items() if name != "colorama"}
    kinds = {one["purl"].split("/")[0] for one in bill["components"]}
    assert kinds == {"pkg:pypi", "pkg:deb", "pkg:generic"}


def test_it_is_small(image: str) -> None:
    size = 0
    press = zlib.compressobj(1)  # larger than what a registry makes of it
    with subprocess.Popen((tool("podman"), "save", image), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as save:
        assert save.stdout
        while piece := save.stdout.read(MEGABYTE):
            size += len(press.compress(piece))
    assert 0 < size + len(press.flush()) < 100 * MEGABYTE
