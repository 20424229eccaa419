"""What the runtime tells a module by its environment."""

from pathlib import Path

import pytest

from nestor.edge.identity import read_identity, storage_of
from nestor.errors import SettingsError

ENVIRONMENT = {
    "IOTEDGE_WORKLOADURI": "unix:///var/run/iotedge/workload.sock",
    "IOTEDGE_IOTHUBHOSTNAME": "plant.azure-devices.net",
    "IOTEDGE_DEVICEID": "gw3",
    "IOTEDGE_MODULEID": "nestor",
    "IOTEDGE_MODULEGENERATIONID": "1",
    "IOTEDGE_GATEWAYHOSTNAME": "gw3.plant.example",
    "IOTEDGE_APIVERSION": "2022-08-03",
}


def test_without_a_runtime_there_is_no_identity() -> None:
    assert read_identity({}) is None


def test_a_module_is_told_who_it_is_and_how_loud_to_be() -> None:
    found = read_identity(ENVIRONMENT | {"RuntimeLogLevel": "Information", "IOTEDGE_PARENTHOSTNAME": "gw4"})
    assert found is not None
    assert (found.device, found.module, found.gateway, found.parent) == ("gw3", "nestor", "gw3.plant.example", "gw4")
    assert found.log_level == "Information"


def test_half_an_environment_is_refused_by_what_is_missing() -> None:
    half = {name: value for name, value in ENVIRONMENT.items() if name != "IOTEDGE_DEVICEID"}
    with pytest.raises(SettingsError, match="IOTEDGE_DEVICEID is not set"):
        read_identity(half)


def test_the_storage_of_the_host_has_a_place_for_nestor() -> None:
    assert storage_of({"storageFolder": "/iotedge/storage"}) == Path("/iotedge/storage/nestor")
    assert storage_of({}) is None
