"""An operator's word over the wire: certd converges with ever new keys, 202 means wait, thieves are told apart."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.answers import Answer
from support.certd import Certd, EstFailed
from support.device import Device, Identity, wrapped
from support.process import wait_for
from support.server import Server
from support.shapes import Request, device_identity, edge_ca, est_identity, p256
from support.turned import Turned

REFUSED = 5
LINE, THIEF = ("line", "0815"), ("thief", "4711")
DOCUMENT: dict[str, Any] = {
    "access": {"gateways": "gw-*"},
    "labels": {
        "default": {"approval": "retry"},
        "patient": {"approval": "accepted"},
        "once": {"approval": "retry", "approvalFor": "newDevices"},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("approval"), DOCUMENT)
    for name, password in (LINE, THIEF):
        server.add_user(name, password, "*", profiles=("*",))
    with server:
        yield server


def certd(server: Any, user: tuple[str, str] = LINE, label: str = "") -> Certd:
    return Certd("/".join(part for part in (server.url, label) if part), server.ca_file, user)


def listed(server: Any, device: str, *words: str) -> list[dict[str, str]]:
    found = json.loads(server.command("approval", "list", "--json", *words).stdout)
    return [one for one in found if one["device"] == device]


def issued(server: Any, device: str) -> int:
    return len(json.loads(server.command("cert", "list", "--device", device, "--json").stdout))


@pytest.mark.conformance("HTTP-10", "HTTP-1", "ENR-7")
def test_certd_gets_its_certificate_at_the_next_try_with_another_key_once_it_is_approved(server: Server) -> None:
    device = certd(server)
    for _ in range(3):
        with pytest.raises(EstFailed, match=r"503 b'pump-1 has to be approved by the operator") as told:
            device.create_cert(est_identity("pump-1").der)
    (shown,) = listed(server, "pump-1")
    assert shown["id"] in str(told.value)
    assert (shown["requests"], shown["by"], shown["from"]) == (3, "password line", "127.0.0.1")
    assert issued(server, "pump-1") == 0
    server.stop()
    server.start()
    server.command("approval", "approve", shown["id"], "--by", "Maria")
    asked = est_identity("pump-1")
    leaf, *_ = device.create_cert(asked.der)
    assert leaf.public_key() == asked.key.public_key()
    with pytest.raises(EstFailed, match="503"):
        device.create_cert(est_identity("pump-1").der)
    assert issued(server, "pump-1") == 1


def test_the_log_of_the_server_tells_who_asked_and_who_approved_beside_it(server: Server) -> None:
    with pytest.raises(EstFailed):
        certd(server).create_cert(est_identity("pump-log").der)
    (shown,) = listed(server, "pump-log")
    server.command("approval", "deny", shown["id"], "--by", "Maria")
    wait_for(lambda: "decidedBy=" in server.log(), 15)
    lines = [line for line in server.log().splitlines() if shown["id"] in line]
    names = ("approval asked for:", " denied:")
    assert [name for line in lines for name in names if name in line] == [*names]
    assert "command line, Maria" in lines[-1]


@pytest.mark.conformance("HTTP-10")
def test_202_says_when_to_ask_again_and_the_same_request_is_answered_once_it_is_decided(server: Server) -> None:
    patient = server.device(user=LINE, label="patient")
    asked, denied = device_identity("plc-1", p256()), device_identity("plc-2", p256())
    for request in (asked, asked, denied):
        answer = enroll(patient, request)
        assert (answer.status, answer["retry-after"]) == (202, "60")
        assert "has to be approved" in answer.text
    (one,), (other,) = listed(server, "plc-1"), listed(server, "plc-2")
    server.command("approval", "approve", one["id"])
    server.command("approval", "deny", other["id"])
    assert enroll(patient, device_identity("plc-1", p256())).status == 202
    assert patient.enroll(asked).certificate.public_key() == asked.key.public_key()
    assert enroll(patient, denied).status == 403
    assert (issued(server, "plc-1"), issued(server, "plc-2")) == (1, 0)


def enroll(device: Device, request: Request) -> Answer:
    return device.post("simpleenroll", wrapped(request.der))


def test_of_two_who_want_one_device_neither_is_approved_before_the_thief_is_denied(server: Server) -> None:
    for user in (LINE, THIEF):
        with pytest.raises(EstFailed, match="503"):
            certd(server, user).create_cert(est_identity("pump-2").der)
    device, thief = sorted(listed(server, "pump-2"), key=lambda one: one["by"])
    assert (device["competesWith"], thief["competesWith"]) == (thief["id"], device["id"])
    for one in (device, thief):
        with pytest.raises(subprocess.CalledProcessError) as told:
            server.command("approval", "approve", one["id"])
        assert told.value.returncode == REFUSED
        assert "deny the others first" in told.value.stderr
    server.command("approval", "deny", thief["id"])
    server.command("approval", "approve", device["id"])
    with pytest.raises(EstFailed, match="403"):
        certd(server, THIEF).create_cert(est_identity("pump-2").der)
    assert certd(server).create_cert(est_identity("pump-2").der)
    assert issued(server, "pump-2") == 1


def test_where_only_new_devices_need_it_a_gateway_gets_all_it_needs_by_one_word(server: Server) -> None:
    first = certd(server, label="once")
    with pytest.raises(EstFailed, match="503"):
        first.create_cert(est_identity("gw-1").der)
    server.command("approval", "approve", listed(server, "gw-1")[0]["id"])
    asked = est_identity("gw-1")
    leaf, *chain = first.create_cert(asked.der)
    own = Certd(first.url, server.ca_file, identity=Identity(leaf, asked.key, tuple(chain)))
    for request in (device_identity("gw-1"), edge_ca("gw-1"), est_identity("gw-1"), edge_ca("gw-1")):
        assert own.create_cert(request.der)


def test_what_waits_is_forgotten_within_the_hour_and_an_approval_within_the_day(tmp_path: Path) -> None:
    server = Turned(tmp_path, DOCUMENT)
    server.add_user(*LINE, "*", profiles=("*",))
    with server:
        device = certd(server)
        for name, approved, later in (("a", False, timedelta(minutes=61)), ("b", True, timedelta(hours=25))):
            with pytest.raises(EstFailed, match="503"):
                device.create_cert(est_identity(name).der)
            (shown,) = listed(server, name)
            if approved:
                server.command("approval", "approve", shown["id"])
            server.live_until(server.clocks.now() + later)
            assert listed(server, name, "--all") == []
            with pytest.raises(EstFailed, match="503"):
                device.create_cert(est_identity(name).der)
            assert issued(server, name) == 0
