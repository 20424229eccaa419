"""The names of this server."""

import ipaddress

import pytest
from cryptography import x509

from nestor.ca.own_names import own_names
from nestor.errors import SettingsError


def test_names_and_addresses_are_told_apart() -> None:
    own = own_names(["gw3.plant.example", "10.0.0.3", "fd00::3", "localhost"])
    assert own.dns == {"gw3.plant.example", "localhost"}
    assert own.ip == {ipaddress.ip_address("10.0.0.3"), ipaddress.ip_address("fd00::3")}


@pytest.mark.parametrize(
    "text",
    ["gw3.plant.example", "GW3.Plant.Example", "gw3.plant.example.", "10.0.0.3", "FD00:0::3", "::ffff:10.0.0.3"],
)
def test_a_name_is_recognized_however_it_is_written(text: str) -> None:
    assert own_names(["GW3.plant.example.", "10.0.0.3", "fd00::3"]).has(text)


@pytest.mark.parametrize("text", ["gw3", "x.gw3.plant.example", "10.0.0.33", ""])
def test_other_names_are_others(text: str) -> None:
    assert not own_names(["gw3.plant.example", "10.0.0.3"]).has(text)


def test_the_order_is_that_of_the_names_not_of_the_settings() -> None:
    assert own_names(["b", "10.0.0.3", "a"]).general_names() == own_names(["a", "b", "10.0.0.3"]).general_names()


def test_an_address_is_a_network_of_one_in_constraints_and_so_is_its_form_within_ipv6() -> None:
    assert own_names(["10.0.0.3", "fd00::3", "gw3"]).subtrees() == [
        x509.DNSName("gw3"),
        x509.IPAddress(ipaddress.ip_network("10.0.0.3/32")),
        x509.IPAddress(ipaddress.ip_network("fd00::3/128")),
        x509.IPAddress(ipaddress.ip_network("::ffff:10.0.0.3/128")),
    ]


@pytest.mark.parametrize("text", ["", "gw 3", "gw\n", "gwü"])
def test_what_is_no_name_is_an_error_of_the_settings(text: str) -> None:
    with pytest.raises(SettingsError, match="hostnames"):
        own_names([text])
