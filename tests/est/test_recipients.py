"""Who may be a reader of a wrapped key; how the wrapping is chosen."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from nestor.errors import Malformed
from nestor.est import oids
from nestor.est.der import Element, oid, only
from nestor.est.recipients import check_recipient, unwrap_with_private_key, wrap_for_certificate
from support.signing import Signed, key_usage, rsa_key, sign

RSA_KEY = rsa_key(2048)
CONTENT_KEY = bytes(range(32))


def reader(key: object, *usages: str) -> Signed:
    return sign("reader", key=key, issuer=sign("issuer"), extensions=[key_usage(*usages)] if usages else [])


@pytest.mark.parametrize(
    "one",
    [
        reader(RSA_KEY),
        reader(RSA_KEY, "key_encipherment"),
        reader(ec.generate_private_key(ec.SECP256R1())),
        reader(ec.generate_private_key(ec.SECP384R1()), "key_agreement", "digital_signature"),
    ],
)
def test_a_certificate_that_is_meant_for_it_is_a_reader(one: Signed) -> None:
    check_recipient(one.certificate)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (reader(RSA_KEY, "digital_signature"), "without keyEncipherment"),
        (reader(RSA_KEY, "key_agreement"), "without keyEncipherment"),
        (reader(ec.generate_private_key(ec.SECP256R1()), "key_encipherment"), "without keyAgreement"),
        (reader(ec.generate_private_key(ec.SECP256K1())), "nothing can be wrapped for"),
        (reader(ed25519.Ed25519PrivateKey.generate()), "nothing can be wrapped for"),
    ],
)
def test_a_certificate_that_is_not_meant_for_it_is_refused(one: Signed, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        check_recipient(one.certificate)


@pytest.mark.parametrize(
    ("listed", "used"),
    [
        ((), oids.RSAES_OAEP),
        ((oids.RSAES_OAEP, oids.RSA_ENCRYPTION), oids.RSAES_OAEP),
        ((oids.AES_256_CBC,), oids.RSAES_OAEP),
        ((oids.RSA_ENCRYPTION,), oids.RSA_ENCRYPTION),
    ],
)
def test_oaep_is_used_unless_the_reader_knows_the_old_padding_only(listed: object, used: object) -> None:
    info = wrap_for_certificate(CONTENT_KEY, reader(RSA_KEY).certificate, listed)  # type: ignore[arg-type]  # tuples
    assert oid(used) in info  # type: ignore[arg-type]  # an identifier
    assert unwrap_with_private_key(only(info), RSA_KEY) == CONTENT_KEY


def test_an_agreement_uses_the_strongest_wrapping_that_the_reader_lists() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    info = wrap_for_certificate(CONTENT_KEY, reader(key).certificate, (oids.AES_128_WRAP, oids.AES_192_WRAP))
    assert oid(oids.AES_192_WRAP) in info
    assert unwrap_with_private_key(only(info), key) == CONTENT_KEY


def test_a_reader_that_lists_no_wrapping_gets_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Malformed, match="do not list the key wrapping"):
        wrap_for_certificate(CONTENT_KEY, reader(key).certificate, (oids.AES_256_CBC,))


def test_what_is_for_another_kind_of_reader_is_left_alone() -> None:
    assert unwrap_with_private_key(Element(0xA2, b"", b""), RSA_KEY) is None
    assert unwrap_with_private_key(Element(0xA1, b"", b""), RSA_KEY) is None
