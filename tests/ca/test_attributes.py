"""What /csrattrs says; the bytes are those of worked examples for RFC 7030 and RFC 9908."""

import pytest

from nestor.ca.attributes import csr_attributes
from nestor.est.csrattrs import decode, unmet
from nestor.model import KeyType, KeyUsage
from support.asking import csr
from support.issuing import BUILT_IN_NAMES, CLIENT, EDGE_CA, LAYER_CA, asked_for, catalog, profile

P256 = {"keys": "ec-p256"}


def said(name: str, **document: object) -> str:
    return csr_attributes(profile(name, **document), link=False).hex()


def test_a_device_identity_with_one_kind_of_key_is_told_key_purpose_and_hash() -> None:
    assert said("deviceIdentity", **P256) == (
        "3047301506072a8648ce3d0201310a06082a8648ce3d030107302406092a864886f70d01090e3117301530130603551d25040c300a06082b"
        "0601050507030206082a8648ce3d040302"
    )


def test_an_edge_ca_is_asked_for_as_edged_asks() -> None:
    parts = decode(bytes.fromhex(said("edgeCa", **P256)))
    asked = csr("x", **EDGE_CA, key_type=KeyType.EC_P256)
    assert unmet(parts, asked) is None
    assert unmet(parts, csr("x", **{**EDGE_CA, "key_usage": frozenset({KeyUsage.DIGITAL_SIGNATURE})})) is not None


@pytest.mark.parametrize("name", [name for name in BUILT_IN_NAMES if name != "deviceIdentity"])
def test_what_devices_usually_ask_for_is_what_is_wanted(name: str) -> None:
    asked = csr("x", **{"edgeCa": EDGE_CA, "layerCa": LAYER_CA}.get(name, {"extended_key_usage": (CLIENT,)}))
    assert unmet(decode(csr_attributes(catalog()[name], link=False)), asked) is None


def test_the_size_of_an_rsa_key_is_told() -> None:
    assert said("x", keys="rsa", rsaMinimum=3072).startswith("3044301106092a864886f70d010101310402020c00")


def test_what_is_left_open_is_not_told() -> None:
    assert csr_attributes(catalog()["server"], link=False) == b"\x30\x00"


def test_without_a_profile_nothing_is_said_but_the_binding() -> None:
    assert csr_attributes(None, link=False).hex() == "3000"
    assert csr_attributes(None, link=True).hex() == "300b06092a864886f70d010907"


def test_fixed_attributes_of_the_subject_make_a_template() -> None:
    parts = decode(csr_attributes(profile(subject={"add": {"O": "Contoso OT"}}, **P256), link=True))
    assert [(part.type._name, part.value) for part in parts.subject] == [
        ("organizationName", "Contoso OT"),
        ("commonName", None),
    ]
    assert parts.challenge_password
    assert unmet(parts, asked_for("deviceIdentity")) is not None


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
def test_libest_can_read_what_is_told(name: str) -> None:
    assert len(csr_attributes(catalog()[name], link=True)) < 1000
