"""What is taken for granted under IoT Edge: open to the container, named as its gateway, read by the runtime."""

from dataclasses import replace

import pytest

from nestor.app.edge_defaults import edge_defaults, log_level, metric_labels
from nestor.document import merge
from nestor.edge.identity import EdgeIdentity
from nestor.settings import judge

IDENTITY = EdgeIdentity(
    hub="plant.azure-devices.net",
    device="gw3",
    module="nestor",
    generation="1",
    gateway="gw3.plant.example",
    workload="unix:///var/run/iotedge/workload.sock",
    api_version="2022-08-03",
    log_level="Information",
)


def test_a_module_serves_its_container_by_the_names_of_gateway_and_module() -> None:
    settings = judge(edge_defaults(IDENTITY))
    assert settings.listener.addresses == ("*",)
    assert settings.listener.hostnames == ("gw3.plant.example", "nestor", "localhost", "127.0.0.1", "::1")
    assert (settings.operations.addresses, settings.operations.port) == (("*",), 9600)
    assert (settings.log.format, settings.log.level) == ("runtime", "info")


def test_a_name_that_no_certificate_could_hold_is_left_out() -> None:
    odd = judge(edge_defaults(replace(IDENTITY, module="my_module!", gateway="192.168.1.4")))
    assert odd.listener.hostnames == ("192.168.1.4", "localhost", "127.0.0.1", "::1")


def test_settings_go_over_it() -> None:
    document = {"log": {"format": "json", "level": "error"}, "operations": {"addresses": ""}}
    settings = judge(merge(edge_defaults(IDENTITY), document))
    assert (settings.log.format, settings.log.level, settings.operations.addresses) == ("json", "error", ())


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("fatal", "fatal"),
        ("error", "error"),
        ("warning", "warning"),
        ("info", "info"),
        ("debug", "debug"),
        ("verbose", "debug"),
        ("Information", "info"),
        ("Warning", "warning"),
        ("Trace", "debug"),
        ("Critical", "fatal"),
        ("", "info"),
        ("None of these", "info"),
    ],
)
def test_the_runtime_s_levels_are_understood_in_every_spelling(word: str, level: str) -> None:
    assert log_level(word) == level
    assert judge({"log": {"level": level}}).log.level == level


def test_the_labels_of_metrics_are_those_of_the_runtime() -> None:
    assert metric_labels(IDENTITY, "0f") == {
        "iothub": "plant.azure-devices.net",
        "edge_device": "gw3",
        "module_name": "nestor",
        "instance_number": "0f",
    }
