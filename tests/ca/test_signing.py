"""Which algorithm a key signs with."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from nestor.ca.signing import algorithm_for, is_signature, is_slow, signature_of
from nestor.errors import MaterialError
from support.issuing import ec_key, ed25519_key, rsa_key


@pytest.mark.parametrize(
    ("curve", "hashed"), [(ec.SECP256R1, SHA256()), (ec.SECP384R1, SHA384()), (ec.SECP521R1, SHA512())]
)
def test_a_curve_signs_with_the_hash_of_its_strength(curve: type[ec.EllipticCurve], hashed: Any) -> None:
    key = ec_key(curve)
    key.public_key().verify(signature_of(key, b"it"), b"it", ec.ECDSA(hashed))
    assert algorithm_for(key.public_key()).name == f"ecdsa-with-{hashed.name.upper()}"


def test_rsa_signs_as_everybody_reads_it() -> None:
    rsa_key().public_key().verify(signature_of(rsa_key(), b"it"), b"it", padding.PKCS1v15(), SHA256())


def test_ed25519_signs_without_a_hash() -> None:
    ed25519_key().public_key().verify(signature_of(ed25519_key(), b"it"), b"it")
    assert algorithm_for(ed25519_key().public_key()).hash is None


@pytest.mark.parametrize(
    "key", [rsa_key(1024), ec.generate_private_key(ec.SECP256K1()), ed448.Ed448PrivateKey.generate()]
)
def test_other_keys_do_not_sign_here(key: Any) -> None:
    with pytest.raises(MaterialError, match="does not sign"):
        signature_of(key, b"it")


def test_only_rsa_is_slow() -> None:
    assert [is_slow(key) for key in (ec_key(), ed25519_key(), rsa_key())] == [False, False, True]


@pytest.mark.parametrize("key", [ec_key(), ec_key(ec.SECP521R1), rsa_key(), ed25519_key()])
def test_a_signature_is_known_by_the_other_half_of_its_key_alone(key: Any) -> None:
    signature = signature_of(key, b"it")
    assert is_signature(key.public_key(), signature, b"it")
    assert not is_signature(key.public_key(), signature, b"that")
    assert not is_signature(ec.generate_private_key(ec.SECP256R1()).public_key(), signature, b"it")
    assert not is_signature(ed448.Ed448PrivateKey.generate().public_key(), signature, b"it")
