"""Public keys that deserve a certificate: of a kind that the profile takes, and not known to be weak. Pure.

The parser has checked that an EC point lies on its curve (the curves taken here have cofactor 1, so that is enough).
The checks of RSA follow published attacks: small factors, close primes (Fermat), and keys of Infineon's RSALib (ROCA,
CVE-2017-15361), recognized by the structure of their modulus.
"""

import math
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa

from nestor.ca.profile import Profile
from nestor.errors import Forbidden, Malformed
from nestor.model import CertificationRequest, KeyType

_EXPONENT = 65537
_FERMAT_ROUNDS = 100
_AGAIN = "Make a new key with current software."


def _primes(limit: int) -> Iterator[int]:
    return (number for number in range(3, limit) if all(number % below for below in range(2, math.isqrt(number) + 1)))


_SMALL_PRIMES = math.prod(_primes(752))
_ROCA_PRIMES = tuple(_primes(168))
_ROCA_MODULUS = math.prod(_ROCA_PRIMES)


def _powers(prime: int) -> frozenset[int]:
    """The powers of 65537 modulo a prime."""
    return frozenset(pow(_EXPONENT, exponent, prime) for exponent in range(prime - 1))


# Every prime of that library is k*M + (65537^a mod M), M a product of small primes. So its moduli are powers of 65537
# modulo each of them: by chance this happens to one modulus in 10^8. Primes that 65537 generates whole tell nothing.
_ROCA_PRINTS = tuple((prime, _powers(prime)) for prime in _ROCA_PRIMES if len(_powers(prime)) < prime - 1)

# Squares modulo these are rare: a number that is none modulo one of them is no square.
_SIEVE = tuple((modulus, frozenset(root * root % modulus for root in range(modulus))) for modulus in (64, 63, 65, 11))
_SIEVE_MODULUS = math.prod(modulus for modulus, _ in _SIEVE)


def check_key(csr: CertificationRequest, profile: Profile) -> None:
    """Check the key of a request. Raises Forbidden for a kind that the profile refuses, Malformed for a weak key."""
    if csr.key_type is None or csr.key_type not in profile.keys:
        known = ", ".join(sorted(profile.keys))
        raise Forbidden(f"The profile {profile.name} takes no key of the kind {csr.key_name}.", f"It takes: {known}.")
    if csr.key_type is KeyType.RSA:
        _check_rsa_size(csr.key_bits, profile)
        if not isinstance(csr.public_key, rsa.RSAPublicKey):
            raise Malformed("The RSA key of the request cannot be read.")
        numbers = csr.public_key.public_numbers()
        check_rsa(numbers.n, numbers.e)


def check_rsa(modulus: int, exponent: int) -> None:
    """Raise Malformed for an RSA key that is known to be weak, with the reason."""
    if exponent != _EXPONENT:
        raise Malformed(f"The RSA key has a public exponent other than {_EXPONENT}.", _AGAIN)
    if modulus % 2 == 0 or math.gcd(modulus % _SMALL_PRIMES, _SMALL_PRIMES) != 1:
        raise Malformed("The RSA key has a small prime factor, so it is broken.", _AGAIN)
    if has_roca_print(modulus):
        raise Malformed("The RSA key was made by a faulty library (ROCA, CVE-2017-15361).", "Update the TPM or token.")
    if has_close_primes(modulus):
        raise Malformed("The RSA key has two primes that are too close to each other, so it is broken.", _AGAIN)


def has_roca_print(modulus: int) -> bool:
    """Whether a modulus has the structure of Infineon's RSALib (Nemec et al., CCS 2017)."""
    rest = modulus % _ROCA_MODULUS
    return all(rest % prime in powers for prime, powers in _ROCA_PRINTS)


def has_close_primes(modulus: int, rounds: int = _FERMAT_ROUNDS) -> bool:
    """Whether Fermat's method factors it soon: n = a^2 - b^2 for an a just above its square root."""
    middle = math.isqrt(modulus)
    if middle * middle == modulus:
        return True
    middle += 1
    square = middle * middle - modulus
    for _ in range(rounds):
        if _is_square(square):
            return True
        square += 2 * middle + 1
        middle += 1
    return False


def _is_square(number: int) -> bool:
    rest = number % _SIEVE_MODULUS
    if any(rest % modulus not in squares for modulus, squares in _SIEVE):
        return False
    return math.isqrt(number) ** 2 == number


def _check_rsa_size(bits: int, profile: Profile) -> None:
    if not profile.rsa_minimum <= bits <= profile.rsa_maximum or bits % 8:
        raise Forbidden(
            f"The RSA key has {bits} bits.",
            f"The profile {profile.name} takes {profile.rsa_minimum} to {profile.rsa_maximum}, in whole bytes.",
        )
