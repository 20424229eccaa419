"""The IoT Edge module as a process, with the real SDK, over TLS: its twin in, its reports out, its methods answered."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from nestor.twin.model import MODEL_ID
from standin.edge import Edge
from support.module import DESIRED, USER, Module, acknowledged
from support.shapes import device_identity, edge_ca, est_identity, server

pytestmark = pytest.mark.xdist_group("module")


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge(parent="gw2.plant.example") as edge:
        yield edge


@pytest.fixture(scope="module")
def module(edge: Edge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    with Module(tmp_path_factory.mktemp("module"), edge) as module:
        yield module


@pytest.fixture
def ready(module: Module) -> Module:
    module.become_ready()
    return module


def test_before_its_first_twin_it_is_alive_and_issues_nothing(module: Module, edge: Edge) -> None:
    edge.wait_connected(20)
    reported = edge.wait_for_reported(lambda reported: "health" in reported)
    assert reported["health"]["ready"] is False
    assert "desired properties" in json.dumps(reported["health"]["problems"])
    assert not (module.data / "ca").exists(), "nobody has said what CA it is to be"


def test_its_first_twin_makes_it_serve(ready: Module, edge: Edge) -> None:
    assert ready.line.enroll(device_identity("first-1")).status == 200
    reported = edge.wait_for_reported(lambda reported: reported["health"]["ready"])
    assert reported["version"]
    assert reported["listenerStatus"]["url"].endswith(f":{ready.port}/.well-known/est")


def test_it_announces_its_model(ready: Module, edge: Edge) -> None:
    assert MODEL_ID.replace(":", "%3A").replace(";", "%3B") in edge.user_name


def test_a_patch_is_in_force_when_it_is_acknowledged(ready: Module, edge: Edge) -> None:
    version = edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": "7d"}}})
    edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version))
    certificate = ready.line.enroll(device_identity("patched-1")).certificate
    assert certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=7)  # noqa: TID251 -- it lives now


def test_a_deleted_key_is_gone(ready: Module, edge: Edge) -> None:
    version = edge.patch_desired({"access": {"users": {"line": None}}})
    edge.wait_for_reported(lambda reported: acknowledged(reported, "access", version))
    assert ready.line.enroll(device_identity("deleted-1")).status == 401
    ready.become_ready()
    assert ready.line.enroll(device_identity("deleted-1")).status == 200


def test_a_refused_patch_changes_nothing_and_tells_its_path_and_remedy(ready: Module, edge: Edge) -> None:
    version = edge.patch_desired({"profiles": {"deviceIdentity": {"lifetime": "60m"}}, "log": {"level": "error"}})
    reported = edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version, 400), 2)
    assert "profiles.deviceIdentity.lifetime" in reported["profiles"]["ad"]
    assert "60min" in reported["profiles"]["ad"]
    assert reported["log"]["ac"] == 400
    assert reported["lastRefusedSettings"]["sentence"]
    assert ready.line.enroll(device_identity("refused-1")).status == 200
    assert "settings refused" in ready.log()


@pytest.mark.parametrize(
    ("patch", "name", "words"),
    [
        ({"twin": {"may": "all"}}, "twin", "host"),
        ({"ca": {"source": "file", "certificate": "file:a.pem", "key": "file:a.key"}}, "ca", "ca.source"),
        ({"access": {"bootstrap": {"x": {"anchors": "file:/etc/passwd"}}}}, "access", "access.bootstrap.x.anchors"),
    ],
)
def test_what_the_host_does_not_allow_is_refused(
    ready: Module, edge: Edge, patch: dict[str, Any], name: str, words: str
) -> None:
    version = edge.patch_desired(patch)
    reported = edge.wait_for_reported(lambda reported: acknowledged(reported, name, version, 400))
    assert words in reported[name]["ad"]


def test_statistics_are_those_of_the_ledger(ready: Module, edge: Edge) -> None:
    before = edge.wait_for_reported(lambda reported: "total" in reported.get("issuance", {}))["issuance"]
    for kind in (est_identity("gw-7"), device_identity("gw-7"), edge_ca("gw-7")):
        assert ready.line.enroll(kind).status == 200
    assert ready.device(user=("line", "wrong")).enroll(est_identity("x-1")).status == 401

    def counted(reported: dict[str, Any]) -> bool:
        issuance = reported["issuance"]
        return issuance["total"] == before["total"] + 3 and issuance["refused"] > before["refused"]

    issuance = edge.wait_for_reported(counted)["issuance"]
    assert issuance["byProfile"]["edgeCa"] == before.get("byProfile", {}).get("edgeCa", 0) + 1
    assert issuance["last"]["profile"] == "edgeCa"
    assert "gw-7" not in json.dumps(edge.reported)


def test_reports_stay_small_and_legal(ready: Module, edge: Edge) -> None:
    assert edge.broken_rules == ()
    assert len(json.dumps(edge.reported)) < 8 * 1024


def test_methods_make_dps_trust_the_ca(ready: Module, edge: Edge) -> None:
    status, answer = edge.invoke("getCaCertificates")
    assert status == 200
    root = x509.load_pem_x509_certificate(answer["certificates"][0]["pem"].encode())
    assert root.fingerprint(SHA256()).hex() == edge.reported["caStatus"]["fingerprint"]
    status, proof = edge.invoke("proveCa", {"code": "B1F0C0DE"})
    assert status == 200
    certificate = x509.load_pem_x509_certificate(proof["pem"].encode())
    certificate.verify_directly_issued_by(root)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "B1F0C0DE"


def test_methods_find_a_certificate_and_revoke_it(ready: Module, edge: Edge) -> None:
    identity = ready.line.enrolled(est_identity("revoked-1"))
    serial = f"{identity.certificate.serial_number:x}"
    status, listed = edge.invoke("listCertificates", {"device": "revoked-*"})
    assert (status, [one["serial"] for one in listed["certificates"]]) == (200, [serial])
    status, found = edge.invoke("getCertificate", {"serial": serial})
    assert (status, found["state"]) == (200, "active")
    device = ready.device(identity=identity)
    assert device.enroll(device_identity("revoked-1")).status == 200
    status, revoked = edge.invoke("revokeCertificate", {"serial": serial, "reason": "keyCompromise"})
    assert (status, revoked["state"]) == (200, "revoked")
    assert device.enroll(device_identity("revoked-1")).status == 403
    assert "revoked" in ready.log()


def test_get_status_tells_what_is_reported_and_more(ready: Module, edge: Edge) -> None:
    status, answer = edge.invoke("getStatus", {})
    assert status == 200
    assert answer["caStatus"]["fingerprint"] == edge.reported["caStatus"]["fingerprint"]
    assert answer["issuance"]["total"] >= 1


@pytest.mark.parametrize(
    ("method", "payload", "status", "words"),
    [
        ("getSecrets", {}, 404, "getStatus"),
        ("proveCa", {}, 400, "code"),
        ("proveCa", {"code": "no code!"}, 400, "code"),
        ("getCertificate", {"serial": "abcdef"}, 404, "abcdef"),
        ("listCertificates", [1, 2], 400, "payload"),
        ("revokeCertificate", {"serial": "1", "reason": "superseded"}, 404, "no certificate 1"),
    ],
)
def test_a_method_that_cannot_be_says_why(ready: Module, method: str, payload: Any, status: int, words: str) -> None:
    answered, answer = ready.edge.invoke(method, payload)
    assert answered == status
    assert words in json.dumps(answer)


def test_telemetry_is_sent_where_it_is_wanted(ready: Module, edge: Edge) -> None:
    version = edge.patch_desired({"reporting": {"telemetry": True}})
    edge.wait_for_reported(lambda reported: acknowledged(reported, "reporting", version))
    assert ready.line.enroll(device_identity("told-1")).status == 200
    message = edge.wait_for_messages(1)[-1]
    assert message.output == "events"
    events = json.loads(message.body)
    assert any(event["data"].get("device") == "told-1" for event in events)
    assert all(event["specversion"] == "1.0" for event in events)


@pytest.mark.parametrize("name", ["gw2.plant.example", "nestor"], ids=["the parent", "this module"])
def test_no_twin_makes_a_server_certificate_for_a_name_of_its_host(ready: Module, edge: Edge, name: str) -> None:
    user = {"passwordHash": DESIRED["access"]["users"]["line"]["passwordHash"], "profiles": "server"}  # type: ignore[index]
    version = edge.patch_desired({"access": {"users": {name: user, "gw9.plant.example": user}}})
    edge.wait_for_reported(lambda reported: acknowledged(reported, "access", version))
    for host, status in (("gw9.plant.example", 200), (name, 403)):
        assert ready.device(user=(host, USER[1])).enroll(server(host)).status == status


def test_no_secret_leaves_it(ready: Module, edge: Edge) -> None:
    hashed = DESIRED["access"]["users"]["line"]["passwordHash"]  # type: ignore[index]
    told = json.dumps(edge.reported) + ready.log() + "".join(message.body.decode() for message in edge.messages)
    assert hashed not in told
    assert "PRIVATE KEY" not in told


def test_a_stop_ends_it_in_time(ready: Module) -> None:
    began = time.monotonic()
    ready.process.terminate()
    assert ready.wait(10) == 0
    assert time.monotonic() - began < 8
    ready.start()


def test_settings_of_the_twin_outlive_a_restart_without_a_hub(ready: Module, edge: Edge) -> None:
    ready.stop()
    edge.hub_leaves()
    edge.workload_leaves()
    try:
        ready.start()
        assert ready.line.enroll(device_identity("offline-1")).status == 200
    finally:
        edge.workload_returns()
        edge.hub_returns()
    edge.wait_connected(90)


@pytest.mark.parametrize(
    "host", [{}, {"profiles": {"estIdentity": {"lifetime": "7d"}}}], ids=["by the twin", "by the host"]
)
def test_a_lost_volume_never_becomes_another_ca(tmp_path: Path, host: dict[str, Any]) -> None:
    with Edge(desired=DESIRED) as edge, Module(tmp_path / "one", edge, host) as module:
        edge.wait_for_reported(lambda reported: reported.get("health", {}).get("ready"), 20)
        known = edge.reported["caStatus"]["fingerprint"]
        module.stop()
        with Module(tmp_path / "other", edge, host) as again:
            again.wait_for_log("settings")
            edge.wait_for_reported(lambda reported: reported["health"]["ready"] is False, 20)
            assert edge.reported["caStatus"]["fingerprint"] == known
            assert not (again.data / "ca").exists()


def test_a_port_that_cannot_be_had_keeps_it_neither_from_serving_nor_from_its_next_twin(
    ready: Module, edge: Edge
) -> None:
    with socket.create_server(("localhost", 0)) as other:
        taken = other.getsockname()[1]
        version = edge.patch_desired({"listener": {"port": taken}})
        edge.wait_for_reported(lambda reported: acknowledged(reported, "listener", version))
        ready.stop()
        ready.start()
        assert f"Port {taken}" in ready.log()
        assert ready.line.enroll(device_identity("port-1")).status == 200
        edge.wait_for_reported(lambda reported: "next start" in reported["listener"]["ad"], 20)
    version = edge.patch_desired({"listener": None, "profiles": {"deviceIdentity": {"lifetime": "9d"}}})
    edge.wait_for_reported(lambda reported: acknowledged(reported, "profiles", version))
