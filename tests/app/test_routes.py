"""Routes in force: what the preset gives on which layer, what is refused, and a trust bundle that is followed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.app.clock import SystemClock
from nestor.app.layer.identity import OwnIdentity
from nestor.app.routes import Bundle, build_routes
from nestor.app.trial import try_settings
from nestor.app.trial_routes import RESERVED
from nestor.errors import MaterialError, SettingsError, Unavailable
from nestor.proxy.proxy import Routes
from nestor.settings import judge
from nestor.upstream.identity import ClientIdentity
from nestor.upstream.trust import Trust
from nestor.web.probes import PROBES
from support import pki
from support.edge_hosts import MemoryHost
from support.issuing import HandClock
from support.proxying import EST

IOTEDGE = {"proxy": {"preset": "iotedge", "through": "direct"}}


def built(document: dict[str, Any], place: Path, parent: str | None = "parent.example") -> Routes:
    edge = None if parent is None else replace(MemoryHost().edge, parent=parent)
    settings = judge(document)
    try_settings(settings)
    return build_routes(settings, place, edge, SystemClock())


def places(routes: Routes) -> dict[str, str]:
    return {route.name: route.target.authority for route in routes.table.routes}


def test_by_default_nothing_is_carried(tmp_path: Path) -> None:
    assert built({}, tmp_path).table.routes == ()


def test_what_is_reserved_is_est_health_and_layers() -> None:
    assert set(RESERVED) == set(EST) >= PROBES


def test_the_preset_gives_what_microsofts_proxy_does(tmp_path: Path) -> None:
    routes = built(IOTEDGE, tmp_path)
    hub = "gw3.plant.example"
    assert places(routes) == {
        **dict.fromkeys(("registry", "acr", "blob"), "parent.example"),
        **dict.fromkeys(("devices", "twins", "websocket"), hub),
    }
    assert {route.name for route in routes.table.routes if route.identity} == {"devices", "twins", "websocket"}
    find = routes.table.find
    assert find("GET", "/other", []) is None
    blob, twins = find("PUT", "/c/b", [(b"X-MS-Version", b"1")]), find("GET", "/twins/d", [])
    assert [one and one.name for one in (blob, twins)] == ["blob", "twins"]


def test_at_the_top_the_preset_leads_to_nobody_above(tmp_path: Path) -> None:
    assert set(places(built(IOTEDGE, tmp_path, parent=""))) == {"devices", "twins", "websocket"}


def test_a_route_of_the_preset_is_changed_key_by_key(tmp_path: Path) -> None:
    routes = {"registry": {"to": "https://registry:5000"}, "acr": {"to": ""}, "blob": {"serverName": "IoTEdgeAPIProxy"}}
    made = built({**IOTEDGE, "routes": routes}, tmp_path)
    assert places(made)["registry"] == "registry:5000"
    assert "acr" not in places(made)
    [blob] = [route for route in made.table.routes if route.name == "blob"]
    assert (blob.pattern.header, blob.target.server_name) == ("x-ms-version", "IoTEdgeAPIProxy")


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ({"path": "/.well-known/est/", "to": "$parent"}, "path"),
        ({"path": "/healthz", "to": "$parent"}, "path"),
        ({"path": "v2", "to": "$parent"}, "path"),
        ({"path": "/a/../b", "to": "$parent"}, "path"),
        ({"to": "http://registry"}, "to"),
        ({"to": "https://user:secret@registry"}, "to"),
        ({"to": "https://registry/path"}, "to"),
        ({"to": "https://registry:0"}, "to"),
        ({"to": "$parent", "identity": True}, "identity"),
        ({"to": "$parent", "methods": "get"}, "methods"),
        ({"to": "$parent", "methods": "CONNECT"}, "methods"),
        ({"to": "$parent", "header": "a b"}, "header"),
        ({"to": "$parent", "headerValue": "1"}, "headerValue"),
    ],
)
def test_a_route_that_cannot_be_is_refused_by_its_path(route: dict[str, Any], path: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        built({"routes": {"mine": route}}, tmp_path)
    assert refused.value.sentence.startswith(f"routes.mine.{path}: ")
    assert "secret" not in refused.value.sentence


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("http://registry:5000", "routes lead to HTTPS only: https://HOST:PORT."),
        ("registry:5000", "it is none of https://HOST:PORT, $parent:PORT and edgeHub."),
        ("https://registry/path", "it is not https://HOST:PORT, without a user and without a path."),
    ],
)
def test_where_no_route_leads_to_is_told_once(to: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        built({"routes": {"mine": {"to": to}}}, tmp_path)
    assert refused.value.sentence == f"routes.mine.to: {told}"


@pytest.mark.parametrize(
    ("passthrough", "path"),
    [
        ({"port": 9443}, ""),
        ({"to": "est.example:8085"}, ""),
        ({"port": 9443, "to": "est.example"}, ".to"),
        ({"port": 9443, "to": "https://est.example:8085"}, ".to"),
        ({"port": 9443, "to": "user@est.example:8085"}, ".to"),
        ({"port": 9443, "to": "est.example:8085/path"}, ".to"),
        ({"port": 9443, "to": "est.example:8085/"}, ".to"),
        ({"port": 9443, "to": "est.example:99999"}, ".to"),
        ({"port": 9443, "to": ":8085"}, ".to"),
    ],
)
def test_a_passthrough_that_cannot_be_is_refused(passthrough: dict[str, Any], path: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        built({"proxy": {"passthrough": passthrough}}, tmp_path)
    assert refused.value.sentence.startswith(f"proxy.passthrough{path}: ")


@pytest.mark.parametrize(("to", "place"), [("a:1", ("a", 1)), ("[fd00::7]:8085", ("fd00::7", 8085))])
def test_a_passthrough_leads_to_one_server_through_the_proxy_of_the_others(
    to: str, place: tuple[str, int], tmp_path: Path
) -> None:
    passthrough = {"port": 9443, "to": to}
    way = built({"proxy": {"through": "http://squid:8080", "passthrough": passthrough}}, tmp_path).passthrough
    assert way is not None
    assert (way.host, way.port) == place
    assert way.through is not None
    assert built({}, tmp_path).passthrough is None


def test_no_route_has_the_name_of_the_passthrough(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^routes\.passthrough: "):
        built({"routes": {"passthrough": {"to": "https://a"}}}, tmp_path)


@pytest.mark.parametrize(("to", "remedy"), [("edgeHub", "runtime of IoT Edge"), ("$parent", "Set proxy.parent")])
def test_a_route_to_nobody_is_refused(to: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"routes\.mine\.to: there is no") as refused:
        built({"routes": {"mine": {"to": to}}}, tmp_path, parent=None)
    assert remedy in refused.value.hint


def test_files_that_cannot_be_used_are_found_before_anybody_asks(tmp_path: Path) -> None:
    with pytest.raises(MaterialError):
        built({"routes": {"mine": {"to": "https://a", "anchors": "file:none.pem"}}}, tmp_path)
    with pytest.raises(MaterialError):
        built({"routes": {"mine": {"to": "https://a", "certificate": "file:a", "key": "file:b"}}}, tmp_path)


def test_a_route_may_show_what_this_server_enrolled_for_itself(tmp_path: Path) -> None:
    made = pki.authority().issue("layer2")
    own = ClientIdentity(made.certificate, made.key, tuple(made.chain))
    OwnIdentity(tmp_path, lambda: None).keep(own)
    shown = {"to": "https://parent", "certificate": "file:upstream-identity.pem", "key": "file:upstream-identity.pem"}
    assert places(built({"routes": {"mine": shown}}, tmp_path)) == {"mine": "parent"}


@pytest.mark.parametrize(
    ("environment", "through"),
    [
        ({}, None),
        ({"https_proxy": "http://u:p@squid:8080"}, ("squid", 8080, "u:p")),
        ({"HTTPS_PROXY": "http://squid:8080", "NO_PROXY": "registry"}, None),
    ],
)
def test_the_environment_says_what_is_reached_through_a_proxy(
    environment: dict[str, str], through: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    routes = {"mine": {"to": "https://registry"}, "hub": {"to": "edgeHub", "path": "/hub"}}
    found = {route.name: route.target.through for route in built({"routes": routes}, tmp_path).table.routes}
    way = found["mine"]
    assert (way and (way.host, way.port, way.credentials)) == through
    assert found["hub"] is None


async def test_the_trust_bundle_is_followed_and_outlives_the_runtime() -> None:
    host, clock = MemoryHost(), HandClock()
    bundle = Bundle(host.runtime, clock)
    first = await bundle.context(None)
    assert await bundle.context(None) is first
    host.runtime.renew_edge_ca()
    clock.pass_by(timedelta(seconds=61))
    second = await bundle.context(None)
    assert second is not first
    host.mood.away = True
    clock.pass_by(timedelta(seconds=61))
    assert await bundle.context(None) is second


async def test_without_any_bundle_nothing_is_trusted() -> None:
    host = MemoryHost()
    host.mood.away = True
    with pytest.raises(Unavailable):
        await asyncio.wait_for(Bundle(host.runtime, SystemClock()).context(None), 10)
    assert Trust(()) != Trust()
