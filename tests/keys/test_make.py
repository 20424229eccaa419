"""New keys."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from nestor.keys.make import RSA_BITS, generate
from nestor.model import KeyType


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        (KeyType.EC_P256, ec.EllipticCurvePrivateKey),
        (KeyType.EC_P384, ec.EllipticCurvePrivateKey),
        (KeyType.EC_P521, ec.EllipticCurvePrivateKey),
        (KeyType.RSA, rsa.RSAPrivateKey),
        (KeyType.ED25519, ed25519.Ed25519PrivateKey),
        (KeyType.ML_DSA_44, mldsa.MLDSA44PrivateKey),
        (KeyType.ML_DSA_65, mldsa.MLDSA65PrivateKey),
        (KeyType.ML_DSA_87, mldsa.MLDSA87PrivateKey),
    ],
)
def test_every_kind_of_key_can_be_made(kind: KeyType, type_: Any) -> None:
    assert isinstance(generate(kind, 2048), type_)


@pytest.mark.parametrize(("kind", "bits"), [(KeyType.EC_P256, 256), (KeyType.EC_P384, 384), (KeyType.EC_P521, 521)])
def test_a_curve_is_the_one_asked_for(kind: KeyType, bits: int) -> None:
    key = generate(kind)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.key_size == bits


def test_the_size_counts_for_rsa() -> None:
    key = generate(KeyType.RSA, 2048)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert (key.key_size, key.public_key().public_numbers().e) == (2048, 65537)
    assert RSA_BITS == 3072


def test_no_two_keys_are_the_same() -> None:
    assert generate(KeyType.EC_P256).public_key() != generate(KeyType.EC_P256).public_key()
