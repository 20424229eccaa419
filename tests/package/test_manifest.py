"""The deployment templates hold by the rules of the runtime, and every rule refuses what breaks it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from nestor import __version__
from nestor.app.edge_defaults import edge_defaults
from nestor.app.twin.host import Host, environment_document
from nestor.app.twin.weighing import weigh
from nestor.document import merge
from nestor.edge.identity import EdgeIdentity
from nestor.errors import SettingsError
from nestor.settings import judge
from nestor.twin.kept import Origin
from standin.deployment import Deployment, read_template
from support.manifests import (
    CREATE_OPTIONS,
    LAYER,
    LAYERED,
    NESTED,
    ROOT,
    TEMPLATE,
    TEMPLATES,
    beyond_limits,
    depth,
    faults,
    modules,
    options_text,
    read,
)

ALL = (*TEMPLATES, *NESTED)
GONE: Any = object()
DESIRED = "properties.desired"
CONTENT = ("modulesContent",)
AGENT = (*CONTENT, "$edgeAgent", DESIRED)
HUB = (*CONTENT, "$edgeHub", DESIRED)
MODULE = (*AGENT, "modules", "nestor")
HOST = (*MODULE, "settings", "createOptions", "HostConfig")
TWIN = (*CONTENT, "nestor", DESIRED)

BROKEN = {
    "no version of the template": (("$schema-template",), GONE),
    "another version of the template": (("$schema-template",), "1.0.0"),
    "a key that iotedgedev does not know": (("modules",), {}),
    "no content": (CONTENT, GONE),
    "no edgeAgent": ((*CONTENT, "$edgeAgent"), GONE),
    "no edgeHub": ((*CONTENT, "$edgeHub"), GONE),
    "no desired properties": ((*TWIN,), GONE),
    "reported properties": ((*CONTENT, "nestor", "properties.reported"), {}),
    "a schema that edgeAgent does not know": ((*AGENT, "schemaVersion"), "1.5"),
    "a schema that edgeHub does not know": ((*HUB, "schemaVersion"), "1.5"),
    "a schema as a number": ((*AGENT, "schemaVersion"), 1.1),
    "no runtime": ((*AGENT, "runtime"), GONE),
    "a runtime without docker": ((*AGENT, "runtime", "type"), "containerd"),
    "credentials without a password": (
        (*AGENT, "runtime", "settings", "registryCredentials", "nestor", "password"),
        GONE,
    ),
    "an address with a space": ((*AGENT, "runtime", "settings", "registryCredentials", "nestor", "address"), "a b"),
    "a system module too many": ((*AGENT, "systemModules", "nestor"), {}),
    "no edgeHub to run": ((*AGENT, "systemModules", "edgeHub"), GONE),
    "an edgeHub that says no restart policy": ((*AGENT, "systemModules", "edgeHub", "restartPolicy"), GONE),
    "a module with a name of two words": ((*AGENT, "modules", "my nestor"), {}),
    "a module with a long name": ((*AGENT, "modules", "n" * 65), {}),
    "a module that is no container": ((*MODULE, "type"), "process"),
    "a module without a status": ((*MODULE, "status"), GONE),
    "a status that is no order": ((*MODULE, "status"), "healthy"),
    "a restart policy of docker's": ((*MODULE, "restartPolicy"), "unless-stopped"),
    "a pull policy of another engine": ((*MODULE, "imagePullPolicy"), "always"),
    "a startup order below zero": ((*MODULE, "startupOrder"), -1),
    "a startup order beyond 32 bits": ((*MODULE, "startupOrder"), 2**32),
    "a misspelled key": ((*MODULE, "setings"), {}),
    "no image": ((*MODULE, "settings", "image"), GONE),
    "createOptions in another case": ((*MODULE, "settings", "CreateOptions"), {}),
    "a chunk of createOptions without two digits": ((*MODULE, "settings", "createOptions1"), "{}"),
    "environment as docker writes it": ((*MODULE, "env"), ["A=b"]),
    "a variable without value": ((*MODULE, "env"), {"A": "b"}),
    "a variable with a dot": ((*MODULE, "env"), {"A.B": {"value": "c"}}),
    "a variable that is an object": ((*MODULE, "env"), {"A": {"value": {}}}),
    "a route that leads nowhere": ((*HUB, "routes", "nestorEvents"), "FROM /messages/*"),
    "a route from nowhere": ((*HUB, "routes", "nestorEvents"), "INTO $upstream"),
    "a route with a dotted name": ((*HUB, "routes", "nestor.events"), "FROM /messages/* INTO $upstream"),
    "a priority above nine": ((*HUB, "routes", "nestorEvents", "priority"), 10),
    "a route that expires before it begins": ((*HUB, "routes", "nestorEvents", "timeToLiveSecs"), -1),
    "messages that are kept for a word": ((*HUB, "storeAndForwardConfiguration", "timeToLiveSecs"), "2h"),
    "a twin with an array": ((*TWIN, "access"), {"gateways": ["gw3"]}),
    "a twin with a dotted key": ((*TWIN, "access.gateways"), "gw3"),
    "a twin with a key in two words": ((*TWIN, "reporting", "the interval"), "60s"),
    "a twin with a number beyond 53 bits": ((*TWIN, "listener"), {"port": 2**52}),
    "a twin with a text of 4 KB": ((*TWIN, "listener"), {"hostnames": "a" * 4096}),
    "a port that is no port": ((*HOST, "PortBindings"), {"8085": [{"HostPort": "8085"}]}),
    "a host port as a number": ((*HOST, "PortBindings", "8085/tcp"), [{"HostPort": 8085}]),
    "a bind without a place inside": ((*HOST, "Binds"), ["nestor-data"]),
    "a read-only that is a word": ((*HOST, "ReadonlyRootfs"), "yes"),
    "one capability for a list of them": ((*HOST, "CapDrop"), "ALL"),
    "memory with a unit": ((*HOST, "Memory"), "256m"),
    "an option that the engine does not know": ((*HOST, "ReadOnlyRootfs"), True),
}

TOO_MUCH = {
    "a twin of eleven levels": ((*TWIN, "a"), json.loads('{"a":' * 10 + "1" + "}" * 10)),
    "a twin of 33 KB": ((*TWIN, "a"), {str(number): "b" * 1000 for number in range(33)}),
    "createOptions of more than 4 KB": ((*HOST, "Binds"), [f"volume-{number}:/mnt/{number}" for number in range(200)]),
}

LAYER_BROKEN = {
    "all desired properties at once": (("content", "modulesContent", "nestor", DESIRED), {}),
    "a path with a dollar": (("content", "modulesContent", "nestor", f"{DESIRED}.$version"), 1),
    "a route without its path": (
        ("content", "modulesContent", "$edgeHub", f"{DESIRED}.nestor"),
        "FROM /* INTO $upstream",
    ),
    "a module at the wrong path": (("content", "modulesContent", "$edgeAgent", f"{DESIRED}.nestor"), {}),
    "an array": (("content", "modulesContent", "nestor", f"{DESIRED}.access"), {"gateways": ["gw3"]}),
}


def changed(document: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    copy = deepcopy(document)
    place = copy
    for step in path[:-1]:
        place = place.setdefault(step, {})
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


@pytest.mark.parametrize("name", ALL)
def test_a_template_holds(name: str) -> None:
    template = read(name)
    assert faults(template, TEMPLATE) == []
    assert list(beyond_limits(template)) == []


@pytest.mark.parametrize("breach", BROKEN)
def test_a_template_that_breaks_a_rule_is_refused(breach: str) -> None:
    assert faults(changed(read(TEMPLATES[0]), *BROKEN[breach]), TEMPLATE)


@pytest.mark.parametrize("breach", TOO_MUCH)
def test_a_template_that_is_too_much_is_refused(breach: str) -> None:
    assert list(beyond_limits(changed(read(TEMPLATES[0]), *TOO_MUCH[breach])))


def test_the_layered_example_holds() -> None:
    assert faults(read(LAYER), LAYERED) == []


@pytest.mark.parametrize("breach", LAYER_BROKEN)
def test_a_layer_that_breaks_a_rule_is_refused(breach: str) -> None:
    assert faults(changed(read(LAYER), *LAYER_BROKEN[breach]), LAYERED)


def test_a_twin_is_as_deep_as_its_objects() -> None:
    assert [depth(1), depth({}), depth({"a": 1}), depth({"a": {"b": {}}, "c": 1})] == [0, 1, 1, 3]


def filled_in(name: str) -> Deployment:
    return read_template((ROOT / name).read_text("utf-8"), "nestor", "gw3.plant.example")


def host_of(deployment: Deployment, place: Path) -> Host:
    """The host of a module that has no file of its own, as the deployment describes it."""
    identity = EdgeIdentity(
        "plant.azure-devices.net", "gw3", "nestor", "1", "gw3.plant.example", "unix:///w", "2022-08-03"
    )
    base = merge(edge_defaults(identity), environment_document(deployment.environment))
    return Host(place, Origin(identity.hub, identity.device, identity.module, identity.generation), base, dict, {})


@pytest.mark.parametrize("name", ALL)
def test_the_twin_of_a_template_is_what_its_environment_allows(name: str, tmp_path: Path) -> None:
    deployment = filled_in(name)
    weighed = weigh(host_of(deployment, tmp_path), deployment.desired)
    assert weighed.settings.access.gateways
    assert weighed.settings.reporting.telemetry


def test_without_its_environment_the_twin_of_the_template_is_refused(tmp_path: Path) -> None:
    deployment = filled_in(TEMPLATES[0])
    with pytest.raises(SettingsError, match="gateways"):
        weigh(host_of(Deployment(deployment.desired), tmp_path), deployment.desired)


def test_the_twin_under_the_layered_example_is_a_configuration() -> None:
    layer = read(LAYER)["content"]["modulesContent"]["nestor"]
    below = filled_in(TEMPLATES[0]).desired
    for patch in _patches(layer):
        assert judge(merge(below, patch)).revision != judge(below).revision


def _patches(layer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each path of a layer as the patch of a twin that it is."""
    for path, value in layer.items():
        patch = value
        for step in reversed(path.removeprefix(f"{DESIRED}.").split(".")):
            patch = {step: patch}
        yield patch


@pytest.mark.parametrize("name", ALL)
def test_the_container_may_no_more_than_it_needs(name: str) -> None:
    options = json.loads(options_text(modules(read(name))["nestor"]))
    host = options["HostConfig"]
    assert faults(options, CREATE_OPTIONS) == []
    assert host["ReadonlyRootfs"] is True
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert host["Memory"] <= 256 << 20
    assert host["Binds"][0] == "nestor-data:/data"
    assert all(bind.endswith(":ro") for bind in host["Binds"][1:])


def test_metrics_are_not_published_beyond_the_machine() -> None:
    ports = [
        (port, binding.get("HostIp"))
        for name in TEMPLATES
        for port, bindings in modules(read(name))["nestor"]["settings"]["createOptions"]["HostConfig"][
            "PortBindings"
        ].items()
        for binding in bindings
    ]
    assert ports == [("8085/tcp", None), ("8085/tcp", None), ("9600/tcp", "127.0.0.1")]


@pytest.mark.parametrize("name", NESTED)
def test_a_layer_is_reached_by_the_ports_that_iot_edge_opens_to_children(name: str) -> None:
    found = modules(read(name))
    ports = {
        binding["HostPort"]: module
        for module in ("nestor", "edgeHub")
        for bindings in json.loads(options_text(found[module]))["HostConfig"]["PortBindings"].values()
        for binding in bindings
    }
    assert ports == {"443": "nestor", "5671": "edgeHub", "8883": "edgeHub"}


@pytest.mark.parametrize("name", NESTED)
def test_edge_hub_lets_the_module_vouch_that_carries_its_requests(name: str) -> None:
    found = modules(read(name))
    assert found["edgeHub"]["env"]["ApiProxyModuleId"]["value"] == "nestor"
    assert filled_in(name).desired["proxy"] == {"preset": "iotedge"}


@pytest.mark.parametrize("name", NESTED[1:])
def test_below_the_top_images_come_from_the_parent(name: str) -> None:
    found = modules(read(name))
    assert [found[module]["settings"]["image"].split("/")[0] for module in ("edgeAgent", "edgeHub")] == [
        "$upstream:443",
        "$upstream:443",
    ]


def test_each_layer_lists_the_one_below_as_the_one_below_shows_itself(tmp_path: Path) -> None:
    top, middle, bottom = (
        weigh(host_of(filled_in(name), tmp_path), filled_in(name).desired).settings for name in NESTED
    )
    for above in (top, middle):
        listed = above.access.forwarders["below"]
        assert (listed.subject, listed.statements) == ("CN=layer2", True)
        assert above.labels["forwarder"].profile == "forwarder"
    assert bottom.access.forwarders == {}
    assert (top.upstream.url, bottom.upstream.identity.label) == (None, "forwarder")


def test_each_layer_names_its_ca_after_itself() -> None:
    subjects = [read(name)["modulesContent"]["nestor"][DESIRED]["ca"]["subject"] for name in NESTED]
    assert subjects == ["CN=Plant CA of ${NESTOR_LAYER}"] * len(NESTED)


def test_a_layer_speaks_for_what_lies_below_it_and_not_for_every_gateway() -> None:
    for name in NESTED[:2]:
        below = read(name)["modulesContent"]["nestor"][DESIRED]["access"]["forwarders"]["below"]
        assert below["names"] == "${NESTOR_DEVICES}"


def test_at_the_top_images_come_from_a_registry_that_nestor_reaches_by_tls() -> None:
    registry = modules(read(NESTED[0]))["registry"]
    route = urlsplit(filled_in(NESTED[0]).desired["routes"]["registry"]["to"])
    assert (route.scheme, route.hostname) == ("https", "registry")
    place = next(
        bind.split(":")[1] for bind in json.loads(options_text(registry))["HostConfig"]["Binds"] if ":ro" in bind
    )
    files = [registry["env"][f"REGISTRY_HTTP_TLS_{part}"]["value"] for part in ("CERTIFICATE", "KEY")]
    assert files == [f"{place}/registry.pem", f"{place}/registry.key"]


def test_the_module_has_the_version_of_the_program() -> None:
    module = read("modules/nestor/module.json")
    assert module["image"]["tag"]["version"] == __version__
    assert {path.name for path in (ROOT / "modules" / "nestor").glob("Dockerfile.*")} == {
        path.removeprefix("./") for path in module["image"]["tag"]["platforms"].values()
    }


def test_every_name_to_be_filled_in_has_a_line_in_the_example() -> None:
    known = {line.split("=")[0] for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if "=" in line}
    texts = [(ROOT / name).read_text("utf-8") for name in (*ALL, "modules/nestor/module.json")]
    wanted = {part.split("}")[0] for text in texts for part in text.split("${")[1:]}
    assert wanted - {"MODULES.nestor"} <= known
