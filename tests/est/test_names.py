"""The same name, written in another way, is the same name (RFC 5280, 7.1)."""

from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from nestor.errors import Malformed
from nestor.est.names import general_name, same_alternative_names, same_name, same_value


def name(*parts: tuple[x509.ObjectIdentifier, str], string: _ASN1Type = _ASN1Type.UTF8String) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value, string) for kind, value in parts])


CN, O = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME  # noqa: E741 -- the letter that RFC 4514 gives it


@pytest.mark.parametrize(
    "other",
    [
        name((CN, "Device 1"), string=_ASN1Type.PrintableString),
        name((CN, "DEVICE 1")),
        name((CN, "  device \t 1 ")),
    ],
)
def test_string_type_case_and_spaces_do_not_matter(other: x509.Name) -> None:
    assert same_name(name((CN, "Device 1")), other)


@pytest.mark.parametrize(
    "other",
    [
        name((CN, "Device 2")),
        name((CN, "Device1")),
        name((O, "Device 1")),
        name((CN, "Device 1"), (O, "x")),
        name((CN, "Device \uff11")),  # a digit that looks alike
        name(),
    ],
)
def test_another_name_is_another_name(other: x509.Name) -> None:
    assert not same_name(name((CN, "Device 1")), other)


def test_the_order_of_parts_matters_but_not_within_one_part() -> None:
    assert not same_name(name((CN, "a"), (O, "b")), name((O, "b"), (CN, "a")))
    pair = [x509.NameAttribute(CN, "a"), x509.NameAttribute(O, "b")]
    one, other = (x509.Name([x509.RelativeDistinguishedName(order)]) for order in (pair, pair[::-1]))
    assert same_name(one, other)


def test_alternative_names_are_a_set() -> None:
    names = [x509.DNSName("a.example"), x509.IPAddress(ip_address("192.0.2.1"))]
    assert same_alternative_names(names, [*names[::-1], names[0]])
    assert not same_alternative_names(names, names[:1])
    assert same_alternative_names((), ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (x509.DNSName("A.Example"), x509.DNSName("a.example"), True),
        (x509.RFC822Name("me@A.example"), x509.RFC822Name("me@a.example"), True),
        (x509.RFC822Name("Me@a.example"), x509.RFC822Name("me@a.example"), False),
        (x509.UniformResourceIdentifier("urn:x:A"), x509.UniformResourceIdentifier("urn:x:a"), False),
        (x509.DirectoryName(name((CN, "A"))), x509.DirectoryName(name((CN, "a"))), True),
        (x509.DNSName("192.0.2.1"), x509.IPAddress(ip_address("192.0.2.1")), False),
        (x509.RegisteredID(CN), x509.RegisteredID(CN), True),
        (x509.OtherName(CN, b"\x05\x00"), x509.OtherName(CN, b"\x05\x00"), True),
    ],
)
def test_every_kind_of_alternative_name_is_compared_in_its_way(
    one: x509.GeneralName, other: x509.GeneralName, *, same: bool
) -> None:
    assert same_alternative_names([one], [other]) is same


def test_values_compare_as_names_do() -> None:
    assert same_value("Contoso  OT", "contoso ot")
    assert not same_value("Contoso", "Contoso OT")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pump7.plant.example", x509.DNSName("pump7.plant.example")),
        ("10.3.0.7", x509.IPAddress(ip_address("10.3.0.7"))),
        ("fe80::7", x509.IPAddress(ip_address("fe80::7"))),
        ("urn://plant/pump7", x509.UniformResourceIdentifier("urn://plant/pump7")),
        ("pump7@plant.example", x509.RFC822Name("pump7@plant.example")),
    ],
)
def test_an_alternative_name_is_read_as_a_person_writes_it(text: str, name: x509.GeneralName) -> None:
    assert general_name(text) == name


@pytest.mark.parametrize("text", ["pümpe", "pümpe@plant.example", "http://pümpe"])
def test_what_no_alternative_name_can_hold_is_told(text: str) -> None:
    with pytest.raises(Malformed, match="no alternative name"):
        general_name(text)
