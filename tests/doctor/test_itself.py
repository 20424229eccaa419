"""A device that asks itself: in a module, on its host before there is a server, and beside IoT Edge."""

from pathlib import Path

import pytest

from nestor.doctor.itself import Here, judge_itself
from nestor.finding import Gravity
from support import pki
from support.foreign import Foreign, asking
from support.talks import has, problems, said, warnings
from support.visiting import visit_foreign

MODULE = {
    "IOTEDGE_WORKLOADURI": "unix:///var/run/iotedge/workload.sock",
    "IOTEDGE_IOTHUBHOSTNAME": "plant.azure-devices.net",
    "IOTEDGE_DEVICEID": "gw3",
    "IOTEDGE_MODULEID": "nestor",
    "IOTEDGE_MODULEGENERATIONID": "637000000000000000",
    "IOTEDGE_GATEWAYHOSTNAME": "gw3.plant.example",
    "IOTEDGE_APIVERSION": "2021-12-07",
}


def test_a_module_is_said_to_be_of_no_use_for_the_first_certificates_of_its_own_device() -> None:
    for answered in (True, False):
        found = list(judge_itself(Here("gw3", device=False), own=True, answered=answered))
        assert has(warnings(found), "a module of gw3, which cannot get its first certificates from it")
        assert problems(found) == []


def test_a_device_that_waits_for_itself_is_told_why_it_will_wait_for_ever() -> None:
    found = list(judge_itself(Here(device=True), own=True, answered=False))
    assert has(warnings(found), "it will never start")
    assert "beside IoT Edge" in found[0].remedy


def test_a_device_with_a_server_beside_it_is_fine() -> None:
    found = list(judge_itself(Here(device=True), own=True, answered=True))
    assert has(said(found, Gravity.FINE), "This device asks itself")
    assert warnings(found) == []


@pytest.mark.parametrize("here", [Here("gw3"), Here(device=True), Here()])
def test_a_server_elsewhere_is_nobody_to_warn_of(here: Here) -> None:
    assert list(judge_itself(here, own=False, answered=True)) == []


def test_on_a_machine_that_is_no_device_there_is_nothing_to_say() -> None:
    assert list(judge_itself(Here(), own=True, answered=True)) == []


def test_the_doctor_in_a_module_sees_that_the_server_has_an_address_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pki.authority("Foreign Root")
    for name, value in MODULE.items():
        monkeypatch.setenv(name, value)
    with Foreign(tmp_path, root, context=asking(root.certificate)) as server:
        visited = visit_foreign(server, enroll=False)
    assert has(visited.warnings, "This server is a module of gw3")
    assert visited.code == 0
