"""What a certificate is asked for, in the shapes that IoT Edge uses."""

import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nestor.errors import Malformed
from nestor.est import pkcs10
from nestor.est.csrattrs import CsrAttributes
from nestor.est.wants import WantedExtension, WantedName
from nestor.model import BasicConstraints, CertificationRequest, KeyUsage
from nestor.upstream.wish import Wish, edge_ca, est_identity, follow, identity, renewal
from support import pki
from support.shapes import p256

_CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_NAMES = (x509.DNSName("pump-1.example"), x509.IPAddress(ipaddress.ip_address("10.0.0.7")))


def _read(wish: Wish) -> CertificationRequest:
    return pkcs10.read(
        pkcs10.build(p256(), wish.subject, alternative_names=wish.alternative_names, extensions=wish.extensions)
    )


def _wanted(value: x509.ExtensionType, *, critical: bool = False) -> WantedExtension:
    return WantedExtension(value.oid, critical, value.public_bytes())


def test_a_device_identity_asks_for_names_only() -> None:
    csr = _read(identity("pump-1", _NAMES))
    assert (csr.common_name, csr.alternative_names) == ("pump-1", _NAMES)
    assert (csr.basic_constraints, csr.key_usage, csr.extended_key_usage) == (None, None, None)


def test_an_est_identity_asks_for_client_authentication_and_nothing_else() -> None:
    csr = _read(est_identity(identity("pump-1")))
    assert csr.extended_key_usage == (ExtendedKeyUsageOID.CLIENT_AUTH,)
    assert (csr.basic_constraints, csr.key_usage, csr.alternative_names) == (None, None, ())


def test_an_edge_ca_asks_to_sign_certificates_of_its_device_alone() -> None:
    csr = _read(edge_ca("gw-1"))
    assert (csr.common_name, csr.device) == ("aziot-edge CA gw-1", "gw-1")
    assert csr.basic_constraints == BasicConstraints(ca=True, path_length=0)
    assert csr.key_usage == {KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}


def test_a_renewal_keeps_the_names() -> None:
    old = pki.authority().issue("pump-1", alternative_names=["pump-1.example", "10.0.0.7"]).certificate
    assert renewal(old) == Wish(old.subject, _NAMES)
    assert renewal(pki.authority().issue("pump-2").certificate).alternative_names == ()


def test_nothing_wanted_changes_nothing() -> None:
    wish = est_identity(identity("pump-1", _NAMES))
    assert follow(wish, CsrAttributes()) == wish


def test_the_extensions_of_the_server_join_ours_and_overrule_them() -> None:
    usage = _wanted(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
    constraints = _wanted(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    followed = follow(est_identity(identity("pump-1")), CsrAttributes(extensions=(usage, constraints)))
    assert followed.extensions == (
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), True),
        (x509.BasicConstraints(ca=False, path_length=None), True),
    )


def test_an_extension_that_the_server_leaves_open_is_ours_to_fill() -> None:
    gap = WantedExtension(x509.ExtendedKeyUsage.oid)
    assert follow(est_identity(identity("pump-1")), CsrAttributes(extensions=(gap,))).extensions == ((_CLIENT, False),)
    assert follow(identity("pump-1"), CsrAttributes(extensions=(gap,))).extensions == ()


def test_alternative_names_that_the_server_writes_out_replace_ours() -> None:
    named = CsrAttributes(extensions=(_wanted(x509.SubjectAlternativeName([x509.DNSName("given.example")])),))
    followed = follow(identity("pump-1", _NAMES), named)
    assert followed.alternative_names == (x509.DNSName("given.example"),)
    assert followed.extensions == ()


def test_a_subject_is_written_in_the_order_of_the_template() -> None:
    template = (WantedName(NameOID.COMMON_NAME), WantedName(NameOID.ORGANIZATION_NAME, "Contoso OT"))
    assert follow(identity("pump-1"), CsrAttributes(subject=template)).subject == x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "pump-1"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso OT"),
        ]
    )


def test_a_part_of_the_subject_that_we_do_not_know_is_left_out() -> None:
    template = (WantedName(NameOID.SERIAL_NUMBER), WantedName(NameOID.COMMON_NAME))
    assert follow(identity("pump-1"), CsrAttributes(subject=template)).subject == identity("pump-1").subject


def test_a_subject_that_cannot_be_is_the_servers_fault() -> None:
    with pytest.raises(Malformed, match="asks for a subject that no certificate can have"):
        follow(identity("pump-1"), CsrAttributes(subject=(WantedName(NameOID.COUNTRY_NAME, "Atlantis"),)))


def test_a_renewal_keeps_its_names_whatever_the_server_wants() -> None:
    wanted = CsrAttributes(
        subject=(WantedName(NameOID.COMMON_NAME, "given"),),
        extensions=(_wanted(x509.SubjectAlternativeName([x509.DNSName("given.example")])), _wanted(_CLIENT)),
    )
    followed = follow(identity("pump-1", _NAMES), wanted, keep_names=True)
    assert (followed.subject, followed.alternative_names) == (identity("pump-1").subject, _NAMES)
    assert followed.extensions == ((_CLIENT, False),)
