"""Base URLs as people write them, and what is none."""

import pytest

from nestor.errors import SettingsError
from nestor.model import Operation
from nestor.upstream.address import parse_address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("est.example", "https://est.example/.well-known/est/cacerts"),
        ("est.example:8085", "https://est.example:8085/.well-known/est/cacerts"),
        ("https://est.example/", "https://est.example/.well-known/est/cacerts"),
        ("https://est.example/.well-known/est/", "https://est.example/.well-known/est/cacerts"),
        ("https://est.example/.well-known/est/a/b", "https://est.example/.well-known/est/a/b/cacerts"),
        ("https://[::1]:8085", "https://[::1]:8085/.well-known/est/cacerts"),
    ],
)
def test_a_base_is_taken_as_people_write_it(text: str, url: str) -> None:
    assert parse_address(text).url(Operation.CACERTS) == url


def test_a_label_stands_between_base_and_operation() -> None:
    address = parse_address("https://est.example:8085", "edge-ca")
    assert address.url(Operation.SIMPLE_ENROLL) == "https://est.example:8085/.well-known/est/edge-ca/simpleenroll"
    assert address.server == "est.example:8085"


@pytest.mark.parametrize(
    "text", ["http://est.example", "ftp://est.example", "https://", "https://h:99999", "https://[::1", "https://h/?a=b"]
)
def test_what_is_no_base_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_address(text)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        parse_address("https://user:hunter2@est.example")
    assert "hunter2" not in refused.value.text


@pytest.mark.parametrize("label", ["", "..", "a/b", "a b", "%2F"])
def test_a_label_that_is_no_segment_is_refused(label: str) -> None:
    with pytest.raises(SettingsError):
        parse_address("https://est.example", label)
