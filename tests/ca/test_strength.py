"""Keys by their strength."""

import pytest

from nestor.ca.strength import strength_of
from nestor.model import KeyType
from support.issuing import profile


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        (KeyType.EC_P256, 128),
        (KeyType.EC_P384, 192),
        (KeyType.EC_P521, 256),
        (KeyType.ED25519, 128),
        (KeyType.ML_DSA_44, 128),
        (KeyType.ML_DSA_65, 192),
        (KeyType.ML_DSA_87, 256),
    ],
)
def test_the_kind_of_a_key_tells_its_strength(kind: KeyType, bits: int) -> None:
    assert strength_of(kind, 2048) == bits


@pytest.mark.parametrize(
    ("size", "bits"), [(2048, 112), (2056, 128), (3072, 128), (3080, 192), (4096, 192), (8192, 256)]
)
def test_an_rsa_key_is_as_strong_as_it_is_long(size: int, bits: int) -> None:
    assert strength_of(KeyType.RSA, size) == bits


def test_every_kind_of_key_is_rated() -> None:
    assert all(strength_of(kind, 2048) for kind in KeyType)


def test_a_profile_tells_how_strong_the_keys_are_that_the_server_makes_for_it() -> None:
    assert profile("mine", keys="ec-p384, rsa").traits.server_key_strength == 192
    assert profile("mine", keys="ec-p384, rsa", serverKey="rsa").traits.server_key_strength == 112
    assert profile("mine", keys="rsa", rsaMinimum=4096).traits.server_key_strength == 192
