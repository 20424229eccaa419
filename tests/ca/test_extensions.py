"""The extensions of each built-in profile, as a relying party reads them."""

import ipaddress
from typing import Any

import pytest
from cryptography import x509

from nestor.ca.usages import usage_bits
from nestor.model import KeyUsage
from support.issuing import (
    BUILT_IN_NAMES,
    CLIENT,
    EDGE_CA,
    SERVER,
    asked_for,
    content,
    draft,
    issue,
    profile,
    request,
    root,
    rsa_key,
    sign,
)


def value(certificate: x509.Certificate, kind: Any) -> Any:
    return certificate.extensions.get_extension_for_class(kind)


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
def test_every_certificate_says_what_it_is_and_whose(name: str) -> None:
    certificate = issue(name)
    constraints, usage = value(certificate, x509.BasicConstraints), value(certificate, x509.KeyUsage)
    assert constraints.critical
    assert usage.critical
    assert (constraints.value.ca, constraints.value.path_length) == {"edgeCa": (True, 0), "layerCa": (True, 1)}.get(
        name, (False, None)
    )
    assert value(certificate, x509.AuthorityKeyIdentifier).value.key_identifier == root().key_identifier
    subject_key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    assert value(certificate, x509.SubjectKeyIdentifier).value == subject_key


@pytest.mark.parametrize(
    ("name", "usages"),
    [("deviceIdentity", [CLIENT]), ("estIdentity", [CLIENT]), ("server", [SERVER, CLIENT]), ("bootstrap", [CLIENT])],
)
def test_a_leaf_has_its_purposes(name: str, usages: list[x509.ObjectIdentifier]) -> None:
    assert list(value(issue(name), x509.ExtendedKeyUsage).value) == usages


def test_a_device_identity_has_the_key_usage_that_its_key_can_have() -> None:
    assert usage_bits(value(issue("deviceIdentity"), x509.KeyUsage).value) == {KeyUsage.DIGITAL_SIGNATURE}
    assert usage_bits(value(issue("deviceIdentity", rsa_key()), x509.KeyUsage).value) == {
        KeyUsage.DIGITAL_SIGNATURE,
        KeyUsage.KEY_ENCIPHERMENT,
    }


def test_an_edge_ca_has_what_edged_asks_for_and_no_purpose() -> None:
    certificate = issue("edgeCa")
    assert usage_bits(value(certificate, x509.KeyUsage).value) == EDGE_CA["key_usage"]
    with pytest.raises(x509.ExtensionNotFound):
        value(certificate, x509.ExtendedKeyUsage)


def test_an_edge_ca_cannot_issue_for_this_server() -> None:
    constraints = value(issue("edgeCa"), x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.excluded_subtrees == [
        x509.DNSName("gw3.plant.example"),
        x509.IPAddress(ipaddress.ip_network("10.0.0.3/32")),
        x509.IPAddress(ipaddress.ip_network("::ffff:10.0.0.3/128")),
    ]


def test_an_edge_ca_of_this_very_machine_can_be_left_unbound() -> None:
    unbound = sign(draft(content(profile("edgeCa", excludeServerNames=False), asked_for("edgeCa"))))
    with pytest.raises(x509.ExtensionNotFound):
        value(unbound, x509.NameConstraints)


def test_nothing_of_a_request_is_copied() -> None:
    wanted = {"other_extensions": (x509.ObjectIdentifier("1.2.3.4"), x509.ObjectIdentifier("2.5.29.14"))}
    certificate = sign(draft(content(profile(), request("dev1", **wanted))))
    assert {extension.oid.dotted_string for extension in certificate.extensions} == {
        "2.5.29.19",
        "2.5.29.15",
        "2.5.29.37",
        "2.5.29.14",
        "2.5.29.35",
    }
