"""What becomes of the alternative names of a request."""

import ipaddress

import pytest
from cryptography import x509

from nestor.ca.alternative_names import MOST_NAMES, alternative_name_rules, issued_alternative_names
from nestor.ca.settings import AlternativeNameSettings
from nestor.errors import Forbidden
from support.asking import subject

DNS = x509.DNSName("dev1.plant.example")
IP = x509.IPAddress(ipaddress.ip_address("10.1.2.3"))
URI = x509.UniformResourceIdentifier("urn:dev:1")
MAIL = x509.RFC822Name("dev1@plant.example")


def issued(*names: x509.GeneralName, common_name: str = "dev1", **document: object) -> tuple[x509.GeneralName, ...]:
    rules = alternative_name_rules(AlternativeNameSettings.model_validate(document))
    return issued_alternative_names(names, subject(common_name), rules)


def test_names_and_addresses_are_taken_in_their_order() -> None:
    assert issued(IP, DNS) == (IP, DNS)


@pytest.mark.parametrize(("name", "kind"), [(URI, "uri"), (MAIL, "email")])
def test_other_kinds_are_taken_where_the_profile_says_so(name: x509.GeneralName, kind: str) -> None:
    with pytest.raises(Forbidden, match=kind):
        issued(name)
    assert issued(name, **{kind: "*"}) == (name,)


@pytest.mark.parametrize(
    "name",
    [
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.DirectoryName(subject("x")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
        x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
        x509.IPAddress(ipaddress.ip_address("::ffff:10.3.0.7")),
    ],
)
def test_kinds_that_nobody_needs_are_refused(name: x509.GeneralName) -> None:
    with pytest.raises(Forbidden):
        issued(name, dns="*", uri="*", email="*", ip="*")


def test_a_profile_without_names_takes_none() -> None:
    with pytest.raises(Forbidden, match="dns"):
        issued(DNS, dns="", ip="")


def test_patterns_hold_for_the_whole_name_whatever_its_case() -> None:
    assert issued(x509.DNSName("DEV1.Plant.example"), dns="*.plant.example")
    with pytest.raises(Forbidden):
        issued(x509.DNSName("dev1.plant.example.evil"), dns="*.plant.example")


@pytest.mark.parametrize("text", ["*.plant.example", "dev 1", "dev1\n"])
def test_wildcards_and_blanks_are_never_issued(text: str) -> None:
    with pytest.raises(Forbidden):
        issued(x509.DNSName(text))


def test_sixteen_names_are_the_most() -> None:
    many = [x509.DNSName(f"n{number}") for number in range(MOST_NAMES + 1)]
    assert issued(*many[:MOST_NAMES])
    with pytest.raises(Forbidden, match="16"):
        issued(*many)


@pytest.mark.parametrize(
    ("common_name", "given"), [("srv1", ("srv1",)), ("a b", ()), ("10.1.2.3", ()), ("aziot-edge CA x", ())]
)
def test_a_common_name_becomes_a_dns_name_where_it_can_be_one(common_name: str, given: tuple[str, ...]) -> None:
    names = issued(common_name=common_name, dnsFromCommonName=True)
    assert tuple(name.value for name in names) == given
    assert issued(common_name=common_name) == ()


def test_names_of_the_request_leave_the_common_name_alone() -> None:
    assert issued(IP, common_name="srv1", dnsFromCommonName=True) == (IP,)
