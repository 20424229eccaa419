"""What a host says beside its twin, in which order, and what the environment may say for it."""

from pathlib import Path
from typing import Any

from nestor.app.twin.host import Host, environment_document
from support.wishing import ORIGIN


def host(said: dict[str, Any], over: dict[str, Any] | None = None) -> Host:
    return Host(Path("data"), ORIGIN, {"listener": {"port": 1, "addresses": "*"}}, lambda: said, over or {})


def test_the_twin_goes_over_the_host_and_options_over_everything() -> None:
    one = host({"listener": {"port": 2, "hostnames": "gw3"}}, {"log": {"level": "error"}})
    assert one.settings().listener.port == 2
    assert one.settings({"listener": {"port": 3}, "log": {"level": "info"}}).listener.port == 3
    assert one.settings({"log": {"level": "info"}}).log.level == "error"
    assert one.settings({"listener": {"hostnames": None}}).listener.hostnames[0] == "localhost"


def test_what_an_option_of_the_start_goes_over_is_told() -> None:
    one = host({}, {"listener": {"hostnames": "gw3, localhost", "port": 8085}})
    assert one.overruled({"listener": {"hostnames": "gw9", "port": 8085}, "log": {"level": "info"}}) == [
        "listener.hostnames"
    ]
    assert host({}).overruled({"listener": {"hostnames": "gw9"}}) == []


def test_the_document_is_read_anew_each_time() -> None:
    said: dict[str, Any] = {}
    one = host(said)
    assert one.settings().listener.port == 1
    said["listener"] = {"port": 2}
    assert one.settings().listener.port == 2


def test_where_and_for_whom_is_no_word_about_what_to_issue() -> None:
    assert not host({}).says_something
    assert not host({"twin": {"may": "all"}}).says_something
    assert not host({"listener": {"port": 8085}, "log": {"level": "debug"}}).says_something
    assert host({"access": {}}).says_something


def test_the_environment_says_what_the_twin_may_and_nothing_else() -> None:
    told = {"NESTOR_TWIN_MAY": "anchors, gateways", "NESTOR_TWIN_NAMES": "gw*", "NESTOR_TWIN_DIRECTORIES": "/"}
    assert environment_document(told) == {"twin": {"may": "anchors, gateways", "names": "gw*"}}
    assert environment_document({"NESTOR_TWIN_MAY": ""}) == {}
    assert host(environment_document(told)).settings().twin.may == ("anchors", "gateways")
