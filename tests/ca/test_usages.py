"""Key usage bits, there and back, and what a key can do."""

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from nestor.ca.usages import key_usage, named, possible_usage, usage_bits
from nestor.model import KeyType, KeyUsage

ONLY = {KeyUsage.ENCIPHER_ONLY, KeyUsage.DECIPHER_ONLY}
ALL = frozenset(KeyUsage)


@given(st.frozensets(st.sampled_from(sorted(ALL - ONLY))))
def test_bits_are_read_as_they_were_written(bits: frozenset[KeyUsage]) -> None:
    assert usage_bits(key_usage(bits)) == bits


def test_the_bits_beside_key_agreement_are_read_beside_it() -> None:
    bits = frozenset({KeyUsage.KEY_AGREEMENT, KeyUsage.DECIPHER_ONLY})
    assert usage_bits(key_usage(bits)) == bits


@pytest.mark.parametrize(
    ("kind", "cannot"),
    [
        (KeyType.EC_P256, {KeyUsage.KEY_ENCIPHERMENT, KeyUsage.DATA_ENCIPHERMENT}),
        (KeyType.RSA, {KeyUsage.KEY_AGREEMENT, *ONLY}),
        (KeyType.ED25519, {KeyUsage.KEY_ENCIPHERMENT, KeyUsage.DATA_ENCIPHERMENT, KeyUsage.KEY_AGREEMENT, *ONLY}),
    ],
)
def test_a_key_is_not_said_to_do_what_it_cannot(kind: KeyType, cannot: set[KeyUsage]) -> None:
    assert possible_usage(ALL, kind) == ALL - cannot


def test_purposes_are_told_by_name_or_number() -> None:
    assert named([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]) == "clientAuth, 1.3.6.1.5.5.7.3.3"
    assert named([]) == "none"
