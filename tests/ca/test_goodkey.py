"""Keys made weak on purpose; the numbers follow the published attacks."""

import math
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nestor.ca.goodkey import check_key, check_rsa, has_close_primes, has_roca_print
from nestor.errors import Forbidden, Malformed
from nestor.model import KeyType
from support.issuing import catalog, ec_key, ed25519_key, profile, request, rsa_key

CHANCE = random.Random(7)


def _prime(start: int) -> int:
    """The first number from here on that is prime, or passes for it."""
    number = start | 1
    while pow(2, number - 1, number) != 1 or pow(3, number - 1, number) != 1:
        number += 2
    return number


def _large(bits: int = 512) -> int:
    return CHANCE.getrandbits(bits) | 3 << (bits - 2)


def _roca_prime() -> int:
    """A prime as Infineon's library makes it for RSA-512: k*M + 65537^a mod M."""
    modulus = math.prod([2, *(n for n in range(3, 168) if all(n % below for below in range(2, math.isqrt(n) + 1)))])
    while True:
        candidate = CHANCE.getrandbits(40) * modulus + pow(65537, CHANCE.getrandbits(200), modulus)
        if pow(2, candidate - 1, candidate) == 1:
            return candidate


@pytest.mark.parametrize("key", [ec_key(), ec_key(ec.SECP384R1), rsa_key()])
def test_a_sound_key_passes(key: Any) -> None:
    check_key(request("dev1", key=key), catalog()["deviceIdentity"])


@pytest.mark.parametrize("key", [ec_key(ec.SECP521R1), ed25519_key()])
def test_a_kind_of_key_that_the_profile_does_not_take_is_refused_by_name(key: Any) -> None:
    with pytest.raises(Forbidden, match="takes no key of the kind"):
        check_key(request("dev1", key=key), catalog()["deviceIdentity"])


def test_a_profile_can_take_other_kinds() -> None:
    check_key(request("dev1", key=ed25519_key()), profile(keys="ed25519", serverKey="ed25519"))


def test_a_key_that_nobody_knows_is_refused_with_its_name() -> None:
    odd = request("dev1", key_type=None, key_name="ed448", public_key=None)
    with pytest.raises(Forbidden, match="ed448"):
        check_key(odd, catalog()["deviceIdentity"])


@pytest.mark.parametrize("bits", [1024, 2047, 2049, 4104, 8192])
def test_an_rsa_key_of_another_size_is_refused(bits: int) -> None:
    with pytest.raises(Forbidden, match=f"{bits} bits"):
        check_key(request("dev1", key=rsa_key(), key_bits=bits), catalog()["deviceIdentity"])


def test_an_unreadable_rsa_key_is_malformed() -> None:
    with pytest.raises(Malformed):
        check_key(request("dev1", key_type=KeyType.RSA, key_bits=2048), catalog()["deviceIdentity"])


@pytest.mark.parametrize("exponent", [1, 3, 17, 65536, 65539, 2**40 + 1])
def test_only_the_usual_exponent_is_taken(exponent: int) -> None:
    with pytest.raises(Malformed, match="exponent"):
        check_rsa(rsa_key().public_key().public_numbers().n, exponent)


@pytest.mark.parametrize("factor", [2, 3, 5, 101, 751])
def test_a_modulus_with_a_small_factor_is_refused(factor: int) -> None:
    with pytest.raises(Malformed, match="small prime factor"):
        check_rsa(factor * _large(2040), 65537)


@pytest.mark.parametrize("distance", [0, 2, 10_000, 2**200])
def test_primes_too_close_to_each_other_are_noticed(distance: int) -> None:
    first = _prime(_large())
    assert has_close_primes(first * (first if distance == 0 else _prime(first + distance)))


def test_primes_far_apart_are_not_close() -> None:
    assert not has_close_primes(_prime(_large()) * _prime(_large()))


def test_close_primes_are_refused() -> None:
    first = _prime(_large())
    with pytest.raises(Malformed, match="too close"):
        check_rsa(first * _prime(first + 2), 65537)


def test_a_key_of_the_faulty_infineon_library_is_refused() -> None:
    modulus = _roca_prime() * _roca_prime()
    assert has_roca_print(modulus)
    with pytest.raises(Malformed, match="ROCA"):
        check_rsa(modulus, 65537)


def test_sound_keys_have_no_print_of_that_library() -> None:
    assert not any(has_roca_print(_large(512) | 1) for _ in range(10_000))


def test_a_sound_rsa_key_of_every_size_passes() -> None:
    for bits in (2048, 3072):
        numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
        check_rsa(numbers.n, numbers.e)
