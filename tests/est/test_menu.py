"""Paths, methods and media types: exact, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.est import menu
from nestor.est.menu import RESERVED_LABELS, Target, accepts, is_label, methods, parse_path
from nestor.model import Operation


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_path_with_and_without_a_label(operation: Operation) -> None:
    assert parse_path(f"/.well-known/est/{operation}") == Target(None, operation)
    assert parse_path(f"/.well-known/est/line-1/{operation}") == Target("line-1", operation)


def test_percent_encoding_is_undone_once() -> None:
    assert parse_path("/.well-known/est/edge%2Dca/cacerts") == Target("edge-ca", Operation.CACERTS)
    assert parse_path("/.well-known/est/edge%252Dca/cacerts") is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/cacerts",
        "/.well-known/est",
        "/.well-known/est/",
        "/.well-known/est/cacerts/",
        "/.well-known/est//cacerts",
        "/.well-known/est/a/b/cacerts",
        "/.well-known/est/a%2Fb/cacerts",
        "/.well-known/est/../cacerts",
        "/.well-known/est/%2e%2e/cacerts",
        "/.well-known/est/./cacerts",
        "/.well-known/est/a%00/cacerts",
        "/.well-known/est/a%zz/cacerts",
        "/.well-known/est/a%f/cacerts",
        "/.well-known/est/%ff/cacerts",
        "/.well-known/est/cacerts%00",
        "/.well-known/est/CACERTS",
        "/.well-known/est/nothing",
        "/.WELL-KNOWN/est/cacerts",
        "/.well%2Dknown/est/cacerts",
        "//.well-known/est/cacerts",
        "/x/.well-known/est/cacerts",
        "https://host/.well-known/est/cacerts",
        "/.well-known/est/.well-known/est/cacerts",
    ],
)
def test_a_path_that_is_not_exactly_one_is_none(path: str) -> None:
    assert parse_path(path) is None


@given(
    st.text()
    | st.text().map(lambda text: f"{menu.BASE}/{text}")
    | st.text().map(lambda text: f"{menu.BASE}/{text}/cacerts")
)
def test_whatever_a_path_is_it_is_a_target_or_none(path: str) -> None:
    target = parse_path(path)
    assert target is None or target.label is None or is_label(target.label)


def test_labels_leave_the_names_of_operations_alone() -> None:
    assert {*Operation, "renewal-info", "crls", "eecerts", "firmware", "symmetrickeys"} <= RESERVED_LABELS


@pytest.mark.parametrize(
    ("name", "fits"), [("edge-ca", True), ("a.b_c~1", True), ("", False), ("..", False), ("ä", False)]
)
def test_a_label_is_one_segment_without_escapes(name: str, *, fits: bool) -> None:
    assert is_label(name) is fits
    assert is_label("x" * 64)
    assert not is_label("x" * 65)


def test_head_goes_where_get_does() -> None:
    assert methods(Operation.CACERTS) == methods(Operation.CSR_ATTRS) == ("GET", "HEAD")
    assert methods(Operation.SIMPLE_ENROLL) == methods(Operation.FULL_CMC) == ("POST",)


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        (None, True),
        ("application/pkcs10", True),
        ("Application/PKCS10; charset=utf-8", True),
        (" application/pkcs10 ;x", True),
        ("application/json", False),
        ("application/pkcs10x", False),
        ("", False),
    ],
)
def test_media_types_are_compared_without_case_and_parameters(content_type: str | None, *, taken: bool) -> None:
    assert accepts(Operation.SIMPLE_ENROLL, content_type) is taken


def test_full_cmc_takes_cms() -> None:
    assert accepts(Operation.FULL_CMC, "application/pkcs7-mime; smime-type=CMC-request")


def test_the_media_types_of_answers_are_spelled_as_clients_compare_them() -> None:
    assert menu.CERTS_ONLY_TYPE == "application/pkcs7-mime; smime-type=certs-only"
    assert menu.CSR_ATTRS_TYPE == "application/csrattrs"
    assert menu.KEY_TYPE == "application/pkcs8"
    assert menu.ENCRYPTED_KEY_TYPE == "application/pkcs7-mime; smime-type=server-generated-key"
