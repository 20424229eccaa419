"""Factory certificates: whose they are, which device they name, and what they are good for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.x509.oid import NameOID

from nestor.access.anchors import read_bundle
from nestor.access.bootstrap import Maker, identify
from nestor.access.crls import RevocationList
from nestor.access.settings import IdentitySource
from nestor.document import covers
from nestor.errors import CannotIssue, Forbidden, Unauthenticated
from nestor.model import Method, Requester
from support.asking import NOW, subject
from support.signing import CLIENT, SERVER, Signed, key_usage, root, rsa_key, sign

ROOT = root("Factory Root")
LINE = ROOT.sign("Factory Line", ca=True, extensions=[key_usage("key_cert_sign", "crl_sign")])


def maker(*signed: Signed, **fields: Any) -> Maker:
    usual = Maker(
        name="factory",
        bundle=read_bundle(b"".join(one.pem for one in signed or (ROOT,)), "factory.pem"),
        source=IdentitySource.COMMON_NAME,
        names=(),
        profiles=frozenset({"estIdentity"}),
        crls=lambda: (),
        require_crl=False,
        allow_without_eku=True,
    )
    return replace(usual, **fields)


def present(signed: Signed, *makers: Maker, chain: Sequence[Signed] = (), now: datetime = NOW) -> Requester:
    return identify(signed.certificate, [one.certificate for one in chain], makers or (maker(),), now)


def refused(signed: Signed, match: str, *makers: Maker, chain: Sequence[Signed] = (), now: datetime = NOW) -> None:
    with pytest.raises(Unauthenticated, match=match):
        present(signed, *makers, chain=chain, now=now)


def test_a_factory_certificate_names_its_device_and_is_good_for_it_only() -> None:
    requester = present(ROOT.sign("Dev1"))
    assert (requester.method, requester.origin, requester.identity) == (Method.BOOTSTRAP, Method.BOOTSTRAP, "dev1")
    assert requester.name == "factory CN=Dev1"
    assert requester.entry is None
    assert requester.grant.profiles == {"estIdentity"}
    assert [covers(pattern, "dev1") for pattern in requester.grant.names] == [True]
    assert [covers(pattern, "dev2") for pattern in requester.grant.names] == [False]


def test_a_wildcard_in_a_factory_certificate_is_no_pattern() -> None:
    assert not covers(present(ROOT.sign("*")).grant.names[0], "dev1")


def test_two_certificates_of_one_device_are_two_callers() -> None:
    assert present(ROOT.sign("dev1")).caller != present(ROOT.sign("dev1")).caller


def test_an_explicit_grant_replaces_the_name() -> None:
    requester = present(ROOT.sign("anything"), maker(names=("line1-*",)))
    assert requester.grant.names == ("line1-*",)


def test_a_leaf_as_factories_make_them_is_accepted_without_any_extension() -> None:
    assert present(ROOT.sign("dev1", ca=None)).identity == "dev1"


def test_intermediates_come_from_the_peer_or_from_the_bundle() -> None:
    leaf = LINE.sign("dev1")
    assert present(leaf, chain=[LINE]).identity == "dev1"
    assert present(leaf, maker(ROOT, LINE)).identity == "dev1"
    assert present(leaf, maker(LINE)).identity == "dev1"
    refused(leaf, "no CA that this server trusts")


def test_junk_in_the_chain_does_no_harm() -> None:
    junk = [root("junk"), ROOT, ROOT.sign("other"), LINE, LINE]
    assert present(LINE.sign("dev1"), chain=junk).identity == "dev1"


def test_the_maker_whose_anchor_vouches_is_the_one_who_counts() -> None:
    other = maker(root("Other Root"), name="other")
    assert present(ROOT.sign("dev1"), other, maker()).name.startswith("factory ")
    refused(ROOT.sign("dev1"), "no CA", other)
    with pytest.raises(Unauthenticated):
        identify(ROOT.sign("dev1").certificate, [], [], NOW)


def test_a_twin_of_the_anchor_vouches_for_nobody() -> None:
    twin = root("Factory Root")
    refused(twin.sign("dev1"), "no CA", chain=[twin])


@pytest.mark.parametrize(
    "above",
    [
        ROOT.sign("a leaf", extensions=[key_usage("digital_signature")]),
        ROOT.sign("no constraints", ca=None),
        ROOT.sign("no keyCertSign", ca=True, extensions=[key_usage("digital_signature")]),
        ROOT.sign("for servers", ca=True, extensions=[SERVER]),
        ROOT.sign("expired", ca=True, end=NOW - timedelta(seconds=1)),
        ROOT.sign("elsewhere", ca=True, extensions=[x509.NameConstraints([x509.DNSName("a.example")], None)]),
    ],
)
def test_an_intermediate_that_may_not_issue_it_vouches_for_nobody(above: Signed) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("b.example")])
    refused(above.sign("dev1", extensions=[names]), "no CA", chain=[above])


def test_an_intermediate_for_clients_may_issue_them() -> None:
    above = ROOT.sign("for clients", ca=True, extensions=[CLIENT])
    assert present(above.sign("dev1"), chain=[above]).identity == "dev1"


def test_path_lengths_hold() -> None:
    last = ROOT.sign("last", ca=True, path_length=0)
    deeper = last.sign("deeper", ca=True)
    assert present(last.sign("dev1"), chain=[last]).identity == "dev1"
    refused(deeper.sign("dev1"), "no CA", chain=[deeper, last])


def test_dates_are_those_of_the_request_not_of_the_handshake() -> None:
    leaf = ROOT.sign("dev1")
    refused(leaf, "expired at", now=NOW + timedelta(days=30))
    refused(leaf, "valid from", now=NOW - timedelta(days=2))


def test_an_expired_anchor_vouches_for_nobody() -> None:
    old = root("Old", end=NOW - timedelta(days=1))
    refused(old.sign("dev1"), "no CA", maker(old))


ANY = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.5.29.37.0")])
BOTH = x509.ExtendedKeyUsage([*SERVER, *CLIENT])


@pytest.mark.parametrize(
    ("usages", "optional", "accepted"),
    [
        (None, True, True),
        (None, False, False),
        (CLIENT, True, True),
        (CLIENT, False, True),
        (BOTH, False, True),
        (SERVER, True, False),
        (SERVER, False, False),
        (ANY, True, False),
    ],
)
def test_extended_key_usages(usages: x509.ExtendedKeyUsage | None, optional: bool, accepted: bool) -> None:
    leaf = ROOT.sign("dev1", extensions=[usages] if usages else [])
    if accepted:
        assert present(leaf, maker(allow_without_eku=optional)).identity == "dev1"
    else:
        refused(leaf, "clientAuth", maker(allow_without_eku=optional))


def test_key_usages_must_allow_signatures_where_they_are_given() -> None:
    assert present(ROOT.sign("dev1", extensions=[key_usage("digital_signature")])).identity == "dev1"
    refused(ROOT.sign("dev1", extensions=[key_usage("key_encipherment")]), "lacks digitalSignature")


def test_a_ca_is_no_device() -> None:
    refused(ROOT.sign("dev1", ca=True), "that of a CA")
    refused(ROOT, "no CA")
    pinned = sign("dev1", ca=True)
    refused(pinned, "no CA", maker(pinned))


@pytest.mark.parametrize(
    "key", [rsa_key(1024), ec.generate_private_key(ec.SECP224R1()), dsa.generate_private_key(2048)]
)
def test_weak_keys_and_kinds_not_used_here_are_refused(key: Any) -> None:
    refused(ROOT.sign("dev1", key=key), "too weak")


@pytest.mark.parametrize(
    "key", [rsa_key(2048), ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_strong_keys_are_accepted(key: Any) -> None:
    assert present(ROOT.sign("dev1", key=key)).identity == "dev1"


def test_a_device_may_be_named_by_the_serial_number_of_its_subject() -> None:
    named = subject("model-7", SERIAL_NUMBER="SN-4711")
    assert present(ROOT.sign(named), maker(source=IdentitySource.SERIAL_NUMBER)).identity == "sn-4711"
    refused(ROOT.sign("dev1"), "by its serialNumber", maker(source=IdentitySource.SERIAL_NUMBER))


def test_a_device_may_be_named_by_its_only_dns_name() -> None:
    def leaf(*names: str) -> Signed:
        return ROOT.sign("x", extensions=[x509.SubjectAlternativeName([x509.DNSName(name) for name in names])])

    assert present(leaf("Dev1"), maker(source=IdentitySource.DNS_NAME)).identity == "dev1"
    refused(leaf("dev1", "dev2"), "by its dnsName", maker(source=IdentitySource.DNS_NAME))
    refused(ROOT.sign("dev1"), "by its dnsName", maker(source=IdentitySource.DNS_NAME))


def test_a_certificate_with_two_common_names_or_none_names_nobody() -> None:
    refused(ROOT.sign(subject("victim", "dev1")), "does not name one device")
    refused(ROOT.sign(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")])), "does not name one device")
    fleet = ROOT.sign(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")]))
    assert present(fleet, maker(names=("line1-*",))).identity is None


def test_a_name_is_shown_without_what_cannot_be_printed() -> None:
    assert "\n" not in present(ROOT.sign("dev1\nerror: forged line")).name


def test_revocation_lists_are_asked() -> None:
    leaf = ROOT.sign("dev1")
    revoking = (RevocationList(x509.load_pem_x509_crl(ROOT.revoke(leaf.certificate.serial_number))),)
    clean = (RevocationList(x509.load_pem_x509_crl(ROOT.revoke())),)
    with pytest.raises(Forbidden, match="revoked"):
        present(leaf, maker(crls=lambda: revoking))
    with pytest.raises(CannotIssue):
        present(leaf, maker(require_crl=True))
    assert present(leaf, maker(crls=lambda: clean, require_crl=True)).identity == "dev1"
