"""Whether a request has what was wanted: more is enough, less is not."""

from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.est.matching import attribute_name, extension_name, has_extension, has_name
from nestor.est.wants import WantedExtension, WantedName
from nestor.model import BasicConstraints, KeyUsage
from support.asking import csr, subject
from support.shapes import key_usage

CUSTOM = x509.ObjectIdentifier("1.2.3.4")
REQUEST = csr(
    "device-1",
    alternative_names=(x509.DNSName("A.example"), x509.IPAddress(ip_address("192.0.2.1"))),
    basic_constraints=BasicConstraints(ca=True, path_length=0),
    key_usage=frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}),
    extended_key_usage=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
    other_extensions=(CUSTOM,),
)


def wanted(value: x509.ExtensionType) -> WantedExtension:
    return WantedExtension(value.oid, value=value.public_bytes())


@pytest.mark.parametrize(
    ("value", "there"),
    [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
        (key_usage("key_cert_sign").value, True),
        (key_usage("crl_sign").value, False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.BasicConstraints(ca=True, path_length=1), False),
        (x509.SubjectAlternativeName([x509.DNSName("a.example")]), True),
        (x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.DNSName("b.example")]), False),
        (x509.UnrecognizedExtension(CUSTOM, b"any"), True),
        (x509.OCSPNoCheck(), False),
    ],
)
def test_an_extension_counts_if_it_says_at_least_as_much(value: x509.ExtensionType, *, there: bool) -> None:
    assert has_extension(REQUEST, wanted(value)) is there


@pytest.mark.parametrize(
    "kind", [x509.BasicConstraints.oid, x509.KeyUsage.oid, x509.ExtendedKeyUsage.oid, x509.SubjectAlternativeName.oid]
)
def test_an_extension_with_gaps_counts_if_it_is_there(kind: x509.ObjectIdentifier) -> None:
    assert has_extension(REQUEST, WantedExtension(kind))
    assert not has_extension(csr("device-1"), WantedExtension(kind))


def test_a_name_counts_as_rfc_5280_compares_it() -> None:
    name = subject("device-1", ORGANIZATION_NAME="Contoso OT")
    assert has_name(name, WantedName(NameOID.ORGANIZATION_NAME, "contoso  ot"))
    assert has_name(name, WantedName(NameOID.COMMON_NAME))
    assert not has_name(name, WantedName(NameOID.ORGANIZATION_NAME, "Fabrikam"))
    assert not has_name(name, WantedName(NameOID.LOCALITY_NAME))


def test_what_has_a_name_is_called_by_it() -> None:
    assert (extension_name(x509.KeyUsage.oid), extension_name(CUSTOM)) == ("keyUsage", "1.2.3.4")
    assert (attribute_name(NameOID.COMMON_NAME), attribute_name(CUSTOM)) == ("CN", "1.2.3.4")
