"""Paths and labels: where EST is found, and where nothing is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.certd import Certd
from support.device import BASE, Device, wrapped
from support.proving import PASSWORD, Place
from support.shapes import device_identity, est_identity


@pytest.mark.conformance("URI-1")
def test_est_is_below_its_well_known_path_only(stranger: Device) -> None:
    assert stranger.ask("GET", f"{BASE}/cacerts").status == 200
    assert stranger.ask("GET", "/cacerts").status == 404
    assert stranger.ask("GET", "/.well-known/cacerts").status == 404


@pytest.mark.conformance("URI-2")
def test_the_operations_that_every_server_has_exist(stranger: Device) -> None:
    body = wrapped(est_identity("exists").der)
    assert stranger.get("cacerts").status == 200
    assert stranger.post("simpleenroll", body).status == 401
    assert stranger.post("simplereenroll", body).status == 401


@pytest.mark.conformance("URI-3")
def test_what_is_known_but_off_is_501_and_what_is_unknown_404(line: Device) -> None:
    assert line.get("csrattrs").status == 200
    assert line.post("serverkeygen", wrapped(est_identity("no-keygen").der)).status == 501
    assert line.post("fullcmc", b"", Content_Type="application/pkcs7-mime; smime-type=CMC-request").status == 501
    assert line.get("renewal").status == 404


@pytest.mark.conformance("URI-4")
def test_a_label_chooses_what_is_issued(line: Device) -> None:
    assert line.but(label="edge-ca").get("cacerts").status == 200
    assert line.but(label="device").enroll(device_identity("labelled")).status == 200
    assert line.but(label="unknown").get("cacerts").status == 404
    assert line.but(label="unknown").enroll(device_identity("labelled")).status == 404


@pytest.mark.conformance("URI-5")
def test_the_path_without_a_label_works_beside_labels(line: Device) -> None:
    assert line.get("cacerts").status == 200
    assert line.enroll(est_identity("unlabelled")).status == 200


@pytest.mark.conformance("URI-6")
@pytest.mark.parametrize("label", ["simpleenroll", "fullcmc", "renewal-info", "crls"])
def test_a_label_that_is_an_operation_is_a_wrong_setting(tmp_path: Path, label: str) -> None:
    config = tmp_path / "nestor.json"
    config.write_text(json.dumps({"labels": {label: {}}}), "utf-8")
    check = (sys.executable, "-m", "nestor", "serve", "--config", config, "--data", tmp_path / "data")
    done = subprocess.run(check, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3
    assert f"labels.{label}" in done.stderr


@pytest.mark.conformance("URI-7")
@pytest.mark.parametrize(
    "path",
    ["a/b/cacerts", "a%2Fcacerts", "edge-ca%2fcacerts", "/cacerts", "cacerts/", "../est/cacerts", "edge-ca/../cacerts"],
)
def test_a_label_is_one_segment(stranger: Device, path: str) -> None:
    assert stranger.ask("GET", f"{BASE}/{path}").status == 404


@pytest.mark.conformance("URI-8")
@pytest.mark.parametrize("end", ["", "/"])
def test_certd_may_be_set_to_the_base_with_a_slash_or_without(plant: Place, end: str) -> None:
    certd = Certd(plant.server.url + end, plant.server.ca_file, basic=("line", PASSWORD))
    assert len(certd.create_cert(est_identity("certd-base").der)) == 3


@pytest.mark.conformance("URI-9")
@pytest.mark.parametrize(
    ("method", "operation", "allowed"),
    [
        ("GET", "simpleenroll", "POST"),
        ("PUT", "simplereenroll", "POST"),
        ("DELETE", "cacerts", "GET, HEAD"),
        ("POST", "csrattrs", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(stranger: Device, method: str, operation: str, allowed: str) -> None:
    answer = stranger.ask(method, f"{BASE}/{operation}")
    assert (answer.status, answer["Allow"]) == (405, allowed)


@pytest.mark.conformance("URI-9")
@pytest.mark.parametrize("operation", ["cacerts", "csrattrs"])
def test_head_tells_what_get_would_send(stranger: Device, operation: str) -> None:
    head, get = (stranger.ask(method, f"{BASE}/{operation}") for method in ("HEAD", "GET"))
    assert (head.status, head.body, head["Content-Type"]) == (200, b"", get["Content-Type"])
