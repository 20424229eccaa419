"""The URL of a config.toml."""

import pytest

from nestor.doctor.address import read_address
from nestor.errors import SettingsError
from nestor.model import Operation


@pytest.mark.parametrize(
    ("text", "server", "host", "port", "path"),
    [
        ("https://est.plant:8085/.well-known/est", "est.plant:8085", "est.plant", 8085, "/.well-known/est/cacerts"),
        ("https://est.plant/.well-known/est/", "est.plant", "est.plant", 443, "/.well-known/est/cacerts"),
        ("https://est.plant/ca/.well-known/est", "est.plant", "est.plant", 443, "/ca/.well-known/est/cacerts"),
        ("http://est.plant/est", "est.plant", "est.plant", 80, "/est/cacerts"),
        ("https://[fd00::1]:8085/est", "[fd00::1]:8085", "fd00::1", 8085, "/est/cacerts"),
        ("est.plant:8085", "est.plant:8085", "est.plant", 8085, "/.well-known/est/cacerts"),
    ],
)
def test_a_path_is_taken_as_it_stands(text: str, server: str, host: str, port: int, path: str) -> None:
    address = read_address(text)
    assert (address.server, address.host, address.port) == (server, host, port)
    assert address.path(Operation.CACERTS) == path


def test_a_path_that_is_missing_is_completed_and_told() -> None:
    assert read_address("https://est.plant").completed
    assert not read_address("https://est.plant/.well-known/est").completed
    assert read_address("https://est.plant").url == "https://est.plant/.well-known/est"


def test_a_label_stands_before_the_operation() -> None:
    address = read_address("https://est.plant", "line1")
    assert address.path(Operation.SIMPLE_ENROLL) == "/.well-known/est/line1/simpleenroll"
    assert address.url == "https://est.plant/.well-known/est/line1"


@pytest.mark.parametrize(
    ("text", "label", "sentence"),
    [
        ("ftp://est.plant", None, "EST is spoken over HTTPS only, not ftp"),
        ("https://user:secret@est.plant", None, "The URL carries a user or password"),
        ("https://est.plant:70000", None, "is not a URL"),
        ("https://", None, "is not the base URL"),
        ("https://ést.plant", None, "is not ASCII"),
        ("https://est.plant/a b", None, "is not the base URL"),
        ("https://est.plant/?x=1", None, "is not the base URL"),
        ("https://est.plant", "a/b", "cannot be a label"),
    ],
)
def test_what_is_no_address_is_told(text: str, label: str | None, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as told:
        read_address(text, label)
    assert "secret" not in told.value.text
