"""URLs: their form, the operation that the device appends itself, and the ids that renewals go by."""

from typing import Any

import pytest

from nestor.device.addresses import check_addresses
from support.configs import BY_BOOTSTRAP, BY_PASSWORD, URL, URLS, config, only, problems, warnings


def test_a_good_file_is_fine() -> None:
    for plan in (BY_PASSWORD, BY_BOOTSTRAP):
        assert list(check_addresses(config(plan))) == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        (URL.replace("https", "http"), "https"),
        ("gw3.plant.example:8085", "https://HOST"),
        ("https:///.well-known/est", "https://HOST"),
        ("ftp://gw3/.well-known/est", "https://HOST"),
        ("https://gw3:99999/.well-known/est", "https://HOST"),
        ("https://user:0815@gw3/.well-known/est", "auth"),
        (f"{URL}?label=x", "https://HOST"),
        (f"{URL}/simpleenroll", "Remove /simpleenroll"),
        (f"{URL}/cacerts/", "Remove /cacerts"),
        ("https://$upstream:8085/.well-known/est", "parent"),
    ],
)
def test_a_url_that_cannot_work_is_a_problem(url: str, word: str) -> None:
    found = only(check_addresses(config(cert_issuance__est__urls__default=url)))
    assert problems([found]) == [f"{URLS}.default"]
    assert word in found.remedy
    assert "0815" not in found.sentence


def test_the_url_of_a_certificate_is_looked_at_too() -> None:
    assert problems(check_addresses(config(edge_ca__url="http://gw3/.well-known/est"))) == ["edge_ca.url"]


@pytest.mark.parametrize("label", ["", "/", "/edge-ca", "/edge-ca/"])
def test_labels_and_a_slash_at_the_end_are_fine(label: str) -> None:
    assert list(check_addresses(config(cert_issuance__est__urls__default=URL + label))) == []


def test_a_missing_default_is_a_problem_where_something_needs_it() -> None:
    assert problems(check_addresses(config(cert_issuance__est__urls=None))) == [f"{URLS}.default"]
    own: dict[str, Any] = {"edge_ca__url": URL, "provisioning__attestation__identity_cert__url": URL}
    assert list(check_addresses(config(cert_issuance__est__urls=None, **own))) == []
    found = only(check_addresses(config(BY_BOOTSTRAP, cert_issuance__est__urls=None, **own)))
    assert "EST identity" in found.sentence
    listed = {"est-id": URL}
    assert list(check_addresses(config(BY_BOOTSTRAP, cert_issuance__est__urls=listed, **own))) == []


def test_a_url_by_id_does_not_reach_renewals() -> None:
    listed = {"default": URL, "aziot-edged-ca": f"{URL}/ca"}
    found = only(check_addresses(config(cert_issuance__est__urls=listed)))
    assert warnings([found]) == [f"{URLS}.aziot-edged-ca"]
    assert "-temp" in found.sentence
    both = listed | {"aziot-edged-ca-temp": f"{URL}/ca"}
    assert list(check_addresses(config(cert_issuance__est__urls=both))) == []
    alone = {"aziot-edged-ca": URL, "device-id": URL}
    assert problems(check_addresses(config(cert_issuance__est__urls=alone))) == [
        f"{URLS}.aziot-edged-ca",
        f"{URLS}.device-id",
    ]


def test_an_id_that_no_certificate_has_is_a_warning() -> None:
    listed = {"default": URL, "edge-ca": URL}
    assert warnings(check_addresses(config(cert_issuance__est__urls=listed))) == [f"{URLS}.edge-ca"]


def test_a_url_that_is_no_text_is_a_problem() -> None:
    assert problems(check_addresses(config(cert_issuance__est__urls={"default": URL, "est-id": 1}))) == [
        f"{URLS}.est-id"
    ]


def test_a_device_that_asks_itself_is_told_that_a_module_could_not_give_it_its_first_certificates() -> None:
    found = only(check_addresses(config(hostname="GW3.plant.example")))
    assert warnings([found]) == [f"{URLS}.default"]
    assert "a module starts only when the device has them" in found.remedy
    assert list(check_addresses(config(hostname=None))) == []
