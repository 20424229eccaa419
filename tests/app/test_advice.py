"""Settings that hold and are hardly meant, or cannot work: told by their path, with what to do, and none refused."""

from pathlib import Path
from typing import Any

import pytest

from nestor.app.advice import doubts, foreseen
from nestor.app.trial import try_settings
from nestor.est.menu import BASE
from nestor.finding import Gravity
from nestor.settings import judge

_USER = {"passwordHash": "env:HASH"}
_BELOW = {"subject": "CN=layer1", "names": "press-*"}


def _forwarding(labels: dict[str, Any] | None = None, access: dict[str, Any] | None = None, **upstream: Any) -> Any:
    """What a layer says that forwards, as docs/layers.md has it; None takes a key out."""
    usual = {
        "url": "https://gw4.plant.example:8085/.well-known/est",
        "anchors": "file:parent-ca.pem",
        "user": "layer2",
        "password": "file:parent.password",
        "identity": {"name": "layer2", "label": "forwarder"},
    }
    kept = {key: value for key, value in {**usual, **upstream}.items() if value is not None}
    if kept.get("identity") == {}:
        kept = {key: kept[key] for key in ("url", "anchors", "identity")}
    return {"authority": {"kind": "upstream"}, "upstream": kept, "labels": labels or {}, "access": access or {}}


def _further_up() -> Any:
    """The same, with a server below whose certificate comes from further up."""
    document = _forwarding({"up": {}}, {"forwarders": {"below": _BELOW}})
    return {**document, "upstream": {**document["upstream"], "labels": {"default": "default", "up": "forwarder"}}}


def test_the_defaults_and_a_profile_with_its_label_leave_no_doubt() -> None:
    assert doubts(judge({})) == []
    assert doubts(judge({"profiles": {"server2": {}, "edgeCa": {}}, "labels": {"two": {"profile": "server2"}}})) == []
    bob = {**_USER, "profiles": "historian"}
    assert doubts(judge({"profiles": {"historian": {}}, "access": {"users": {"bob": bob}}})) == []


@pytest.mark.parametrize(
    "document",
    [
        _forwarding(),
        _forwarding({"forwarder": {"profile": "forwarder", "authority": "local"}}, {"forwarders": {"below": _BELOW}}),
        _further_up(),
        _forwarding(access={"forwarders": {"below": {**_BELOW, "anchors": "file:a.pem"}}}),
        _forwarding(url="https://localhost:9085", conveys=False, identity={"name": "layer2"}),
        _forwarding(identity=None),
        {"labels": {"layer-ca": {"profile": "layerCa"}}, "access": {"layers": {"layer2": {}}}},
        {"labels": {"line": {"approval": "retry", "approvalFor": "everything"}}},
        {"routes": {"a": {"path": "/v2/", "to": ""}, "b": {"path": "/v2/", "to": "https://b"}}},
        {"routes": {"a": {"to": "https://a", "methods": "GET"}, "b": {"to": "https://b"}}},
        {"proxy": {"preset": "iotedge"}, "routes": {"zoo": {"path": "/v2/", "to": "https://zoo"}}},
        {"proxy": {"preset": "iotedge"}, "routes": {"registry": {"to": "https://registry:5000"}}},
    ],
)
def test_what_works_leaves_no_doubt(document: dict[str, Any]) -> None:
    settings = judge(document)
    try_settings(settings)
    assert doubts(settings) == []


@pytest.mark.parametrize(
    ("document", "about", "remedy"),
    [
        ({"profiles": {"deviceIdentiy": {}}}, "profiles.deviceIdentiy", "Did you mean deviceIdentity?"),
        ({"profiles": {"historian": {}}}, "profiles.historian", "needs a label"),
        (
            {"profiles": {"edgeCA": {}}, "access": {"users": {"bob": {**_USER, "profiles": "edgeCA"}}}},
            "profiles.edgeCA",
            "Did you mean edgeCa?",
        ),
        ({"ca": {"certificate": "file:ca.pem"}}, "ca.certificate", 'source = "file"'),
        (
            {"ca": {"source": "file", "certificate": "file:a", "key": "file:b", "keyType": "rsa"}},
            "ca.keyType",
            "Leave it out",
        ),
        ({"listener": {"serverCertificate": {"key": "file:k"}}}, "listener.serverCertificate", 'source = "file"'),
        (_forwarding(labels={"other": {}}), "labels.other", "Add it there, or write authority"),
        (
            _forwarding(labels={"forwarder": {"profile": "forwarder"}}),
            "labels.forwarder",
            'Write authority = "local" in labels.forwarder: this server issues',
        ),
        (_forwarding(identity={}), "upstream", "Give upstream.identity a name and a label"),
        (_forwarding(user=None, password=None), "upstream.identity", "Name upstream.user and password"),
        (_forwarding(identity={"name": "layer2"}), "upstream.identity.label", 'label = "forwarder"'),
        (_forwarding(url=f"https://gw4{BASE}/line"), "upstream.url", f"End it with {BASE}; labels stand in"),
        (_forwarding(url="https://localhost:8085"), "upstream.url", "Write that of the layer above."),
        (
            {"access": {"forwarders": {"below": _BELOW}}},
            "access.forwarders.below",
            'Add a label for it: labels.forwarder with profile = "forwarder".',
        ),
        (
            _forwarding(access={"forwarders": {"below": _BELOW}}),
            "access.forwarders.below",
            'labels.forwarder with profile = "forwarder", authority = "local".',
        ),
        (
            {"access": {"layers": {"layer2": {}}}},
            "access.layers.layer2",
            'Add a label for it: labels.layer-ca with profile = "layerCa".',
        ),
        (
            {"routes": {"b": {"path": "/v2/", "to": "https://b"}, "a": {"path": "/v2", "to": "https://a"}}},
            "routes.b",
            "another path, header or methods",
        ),
        (
            {
                "routes": {"registry": {"to": "https://a"}, "zoo": {"path": "/v2/", "to": "https://b"}},
                "proxy": {"preset": "iotedge"},
            },
            "routes.zoo",
            "another path, header or methods",
        ),
        (
            {"labels": {"line": {"approvalFor": "everything"}}},
            "labels.line.approvalFor",
            'Leave it out; or write approval = "retry".',
        ),
    ],
)
def test_what_is_hardly_meant_is_doubted(document: dict[str, Any], about: str, remedy: str) -> None:
    settings = judge(document)
    try_settings(settings)
    (doubt,) = doubts(settings)
    assert (doubt.gravity, doubt.about) == (Gravity.WARNING, about)
    assert remedy in doubt.remedy


@pytest.mark.parametrize(
    ("document", "about"),
    [
        ({"routes": {"mine": {"to": "$parent:8000"}}}, ["routes.mine.to"]),
        ({"routes": {"mine": {"to": "edgeHub"}}}, ["routes.mine.to"]),
        ({"routes": {"mine": {"to": "$parent"}}, "proxy": {"parent": "gw4"}}, []),
        ({"routes": {"mine": {"to": "https://a"}, "off": {"path": "/off"}}, "proxy": {"preset": "iotedge"}}, []),
    ],
)
def test_a_route_to_whom_only_iot_edge_knows_is_foreseen(document: dict[str, Any], about: list[str]) -> None:
    settings = judge(document)
    assert [found.about for found in foreseen(settings, None, parent=False, edge_hub=False)] == about
    assert foreseen(settings, None, parent=True, edge_hub=True) == []


def test_files_that_are_not_there_are_foreseen_by_the_path_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "there.pem").touch()
    settings = judge(
        {
            "routes": {"mine": {"to": "https://a", "anchors": "file:none.pem"}},
            "upstream": {"anchors": "file:there.pem", "password": "env:PASSWORD"},
            "labels": {"line": {"serverKeyGeneration": {"keyEncryptionKeys": {"one": "file:/none.kek"}}}},
            "access": {"usersFile": "file:users.json"},
        }
    )
    found = foreseen(settings, tmp_path, parent=False, edge_hub=False)
    assert [(one.about, one.sentence.rpartition(" ")[2]) for one in found] == [
        ("labels.line.serverKeyGeneration.keyEncryptionKeys.one", "/none.kek."),
        ("routes.mine.anchors", f"{tmp_path}/none.pem."),
    ]
    assert all(one.remedy and one.gravity is Gravity.WARNING for one in found)
