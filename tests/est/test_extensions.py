"""Extensions asked for, sorted into what the house knows."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.errors import Malformed
from nestor.est.extensions import Asked, check_general_names, check_name, sort_out
from nestor.model import BasicConstraints, KeyUsage
from support.asking import subject
from support.shapes import key_usage


def extension(value: x509.ExtensionType) -> x509.Extension[x509.ExtensionType]:
    return x509.Extension(value.oid, critical=False, value=value)


def test_nothing_asked_for_is_nothing() -> None:
    assert sort_out([]) == Asked((), None, None, None, ())


def test_every_known_extension_has_its_place() -> None:
    values = [
        x509.SubjectAlternativeName([x509.DNSName("a.example")]),
        x509.BasicConstraints(ca=True, path_length=3),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.OCSPNoCheck(),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"value"),
    ]
    asked = sort_out(map(extension, values))
    assert asked.alternative_names == (x509.DNSName("a.example"),)
    assert asked.basic_constraints == BasicConstraints(ca=True, path_length=3)
    assert asked.extended_key_usage == (ExtendedKeyUsageOID.SERVER_AUTH,)
    assert asked.others == (x509.OCSPNoCheck.oid, x509.ObjectIdentifier("1.2.3.4"))


@pytest.mark.parametrize(
    ("bit", "usage"),
    [
        ("digital_signature", KeyUsage.DIGITAL_SIGNATURE),
        ("content_commitment", KeyUsage.NON_REPUDIATION),
        ("key_encipherment", KeyUsage.KEY_ENCIPHERMENT),
        ("data_encipherment", KeyUsage.DATA_ENCIPHERMENT),
        ("key_agreement", KeyUsage.KEY_AGREEMENT),
        ("key_cert_sign", KeyUsage.KEY_CERT_SIGN),
        ("crl_sign", KeyUsage.CRL_SIGN),
    ],
)
def test_every_usage_has_its_name(bit: str, usage: KeyUsage) -> None:
    assert sort_out([extension(key_usage(bit).value)]).key_usage == {usage}


def test_the_usages_of_key_agreement_alone() -> None:
    value = key_usage("key_agreement", "encipher_only", "decipher_only").value
    expected = {KeyUsage.KEY_AGREEMENT, KeyUsage.ENCIPHER_ONLY, KeyUsage.DECIPHER_ONLY}
    assert sort_out([extension(value)]).key_usage == expected


def test_names_that_are_readable_pass() -> None:
    check_name(subject("Gerät 1"))
    check_general_names([x509.DNSName("*.example"), x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")])


def test_names_that_are_not_readable_are_refused() -> None:
    with pytest.raises(Malformed, match=r"U\+0000"):
        check_general_names([x509.DirectoryName(subject("a\0"))])
