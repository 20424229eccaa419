"""Every CA that does not fit together, and the sentence about it."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448

from nestor.ca.hierarchy import make_intermediate
from nestor.ca.loading import load_issuer, read_certificates
from nestor.errors import MaterialError
from support.asking import NOW
from support.issuing import DAY, SERIAL, ec_key, ed25519_key, root, rsa_key
from support.signing import Signed, key_usage, sign
from support.signing import root as rough_root

SIGNS = key_usage("key_cert_sign", "crl_sign")


def load(*parts: Signed, key: Any = None) -> Any:
    return load_issuer(parts[0].certificate, [part.certificate for part in parts[1:]], key or parts[0].key)


def refusal(*parts: Signed, key: Any = None) -> str:
    with pytest.raises(MaterialError) as fault:
        load(*parts, key=key)
    return fault.value.text


def test_a_root_is_a_whole_ca() -> None:
    assert load_issuer(root().certificate, (), root().key).certificates == (root().certificate,)


def test_the_certificates_above_may_stand_in_any_order_with_others_among_them() -> None:
    top = rough_root("Top")
    middle = top.sign("Middle", ca=True, path_length=2)
    issuing = middle.sign("Issuing", ca=True, path_length=1)
    stray = rough_root("Stray")
    for others in ((top, middle), (middle, stray, top), (stray, issuing, top, middle)):
        assert load(issuing, *others).chain == (middle.certificate, top.certificate)


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key(), ec_key(ec.SECP384R1), ec_key(ec.SECP521R1)])
def test_every_kind_of_ca_key_that_signs_here_is_taken(key: Any) -> None:
    assert load(rough_root("Root", key=key) if key != ed25519_key() else sign("Root", ca=True, key=key))


def test_a_ca_made_here_can_be_loaded() -> None:
    middle = make_intermediate(root(), ec_key(), "CN=Middle", lifetime=DAY, now=NOW, serial=SERIAL)
    assert load_issuer(middle.certificate, middle.chain, middle.key) == middle


def test_a_key_of_another_ca_is_noticed() -> None:
    assert "does not belong" in refusal(rough_root(), key=rough_root().key)


@pytest.mark.parametrize(
    "key", [rsa_key(1024), ed448.Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())]
)
def test_a_key_that_does_not_sign_here_is_refused(key: Any) -> None:
    assert "does not sign certificates here" in refusal(rough_root(), key=key)


def test_a_dsa_key_does_not_sign_here() -> None:
    assert "does not sign" in refusal(rough_root(), key=dsa.generate_private_key(1024))


def test_a_certificate_that_is_no_ca_is_refused() -> None:
    assert "not that of a CA" in refusal(sign("Leaf"))
    assert "not that of a CA" in refusal(sign("Leaf", ca=None))


def test_a_leaf_in_the_chain_is_refused() -> None:
    leaf = rough_root().sign("Leaf", ca=False)
    assert "not a root" in refusal(leaf.sign("Below", ca=True), leaf)


def test_a_ca_without_the_right_to_sign_is_refused() -> None:
    assert "lacks keyCertSign" in refusal(rough_root("Root", extensions=[key_usage("digital_signature")]))
    assert load(rough_root("Root", extensions=[SIGNS]))


def test_a_chain_that_does_not_reach_a_root_says_what_is_missing() -> None:
    top = rough_root("Top")
    issuing = top.sign("Issuing", ca=True)
    text = refusal(issuing, rough_root("Top"))
    assert "CN=Issuing, which is not a root" in text
    assert "CN=Top" in text


def test_a_path_length_above_that_forbids_the_ca_is_noticed() -> None:
    top = rough_root("Top", path_length=0)
    assert "path length" in refusal(top.sign("Issuing", ca=True), top)


@pytest.mark.parametrize("pem", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_certificates_that_cannot_be_read_are_named(pem: bytes) -> None:
    with pytest.raises(MaterialError, match=r"ca\.chain"):
        read_certificates(pem, "ca.chain")


def test_certificates_of_a_text_are_read_in_their_order() -> None:
    two = rough_root("One"), rough_root("Two")
    assert read_certificates(two[0].pem + two[1].pem, "it") == (two[0].certificate, two[1].certificate)


def test_a_truncated_certificate_is_never_half_a_ca() -> None:
    pem = rough_root().pem
    for end in range(len(pem) - 2):
        with pytest.raises(MaterialError):
            read_certificates(pem[:end], "it")


def test_a_ca_whose_extensions_cannot_be_read_is_refused() -> None:
    twice = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x04")
    assert "cannot be read" in refusal(rough_root("Root", extensions=[twice]))
