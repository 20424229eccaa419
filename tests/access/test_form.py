"""Names that may stand in a certificate at all, and names that may not."""

import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from nestor.access.case import open_case
from nestor.access.form import check_form
from nestor.errors import Forbidden
from nestor.model import CertificationRequest, NewNames, Operation
from support.asking import FRESH, NOW, csr, password_requester, subject, traits


def check(request: CertificationRequest) -> None:
    check_form(
        open_case(
            requester=password_requester(names=("*",)),
            csr=request,
            profile=traits("deviceIdentity"),
            operation=Operation.SIMPLE_ENROLL,
            standing=FRESH,
            now=NOW,
        )
    )


@pytest.mark.parametrize("name", ["dev1", "a b", "x" * 64, "gerät-7", "host.plant.example", "a(1)!'$", "a?"])
def test_common_names_that_may_stand(name: str) -> None:
    check(csr(name))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "no common name"),
        ("x" * 65, "longer than 64"),
        ("dev1\x00", "control characters"),
        ("dev1\r\nerror: forged", "control characters"),
        ("dev1\u202e", "control characters"),
        ("de\u200bv1", "control characters"),
        ("\u00a0dev1", "control characters"),
        (" dev1", "spaces at its ends"),
        ("dev1 ", "spaces at its ends"),
        ("*.plant.example", "wildcard"),
        ("aziot-edge CA aziot-edge CA dev1", "prefix"),
        ("AZIOT-EDGE CA dev1", "prefix"),
        ("aziot-edge CA Aziot-Edge CA dev1", "prefix"),
        ("aziot-edge CA ", "spaces at its ends"),
    ],
)
def test_common_names_that_may_not(name: str, reason: str) -> None:
    with pytest.raises(Forbidden, match=reason):
        check(csr(name))


def test_an_edge_ca_is_named_after_its_device() -> None:
    check(csr("aziot-edge CA gw1"))


def test_a_subject_without_a_common_name_or_with_two_names_nobody() -> None:
    with pytest.raises(Forbidden, match="no common name"):
        check(csr(name=x509.Name([])))
    with pytest.raises(Forbidden, match="more than one common name"):
        check(csr("victim", "dev1"))


def test_the_other_attributes_of_a_subject_are_readable_text() -> None:
    check(csr("dev1", name=subject("dev1", ORGANIZATION_NAME="Plant & Söhne")))
    for value in ("Plant\nline", " Plant", "", "x" * 256):
        with pytest.raises(Forbidden, match="in the subject"):
            check(csr("dev1", name=subject("dev1", ORGANIZATION_NAME=value)))


def test_an_attribute_that_is_not_text_is_refused() -> None:
    bits = x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x00\x01", x509.name._ASN1Type.BitString)
    with pytest.raises(Forbidden, match="not text"):
        check(csr("dev1", name=x509.Name([*subject("dev1"), bits])))


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("dev1"),
        x509.DNSName("Dev_1.plant-2.example"),
        x509.DNSName("xn--gert-7-bua"),
        x509.RFC822Name("dev1@plant.example"),
        x509.UniformResourceIdentifier("urn:dev:1"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    ],
)
def test_alternative_names_that_may_stand(name: x509.GeneralName) -> None:
    check(csr("dev1", alternative_names=(name,)))


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName(""),
        x509.DNSName("*"),
        x509.DNSName("*.plant.example"),
        x509.DNSName("dev1."),
        x509.DNSName(".dev1"),
        x509.DNSName("a..b"),
        x509.DNSName("-dev1"),
        x509.DNSName("dev1-"),
        x509.DNSName("dev 1"),
        x509.DNSName("dev1\x00.plant.example"),
        x509.DNSName("dev1/x"),
        x509.RFC822Name("a\n@b.example"),
        x509.UniformResourceIdentifier(""),
        x509.UniformResourceIdentifier("urn:" + "x" * 255),
        x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")),
        x509.DirectoryName(subject("dev1")),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a"),
    ],
)
def test_alternative_names_that_may_not(name: x509.GeneralName) -> None:
    with pytest.raises(Forbidden):
        check(csr("dev1", alternative_names=(name,)))


def test_alternative_names_are_few() -> None:
    check(csr("dev1", alternative_names=(x509.DNSName("dev1"),) * 16))
    with pytest.raises(Forbidden, match="16"):
        check(csr("dev1", alternative_names=(x509.DNSName("dev1"),) * 17))


def test_new_names_are_held_to_the_same_form() -> None:
    with pytest.raises(Forbidden, match="control"):
        check(csr("dev1", new_names=NewNames(subject("dev\n2"), None)))
    with pytest.raises(Forbidden, match="plain host name"):
        check(csr("dev1", new_names=NewNames(subject("dev2"), (x509.DNSName("*"),))))
    with pytest.raises(Forbidden, match="prefix"):
        check(csr("AZIOT-EDGE CA dev1", new_names=NewNames(subject("dev2"), None)))
