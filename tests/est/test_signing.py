"""Signatures: every kind of key in its scheme, and checked again."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa, x25519

from nestor.errors import MaterialError
from nestor.est import oids
from nestor.est.der import BadDER
from nestor.est.signing import scheme_of, sign, verify

KEYS = [
    (ec.generate_private_key(ec.SECP256R1()), oids.SHA256),
    (ec.generate_private_key(ec.SECP384R1()), oids.SHA384),
    (ec.generate_private_key(ec.SECP521R1()), oids.SHA512),
    (rsa.generate_private_key(65537, 2048), oids.SHA256),
    (ed25519.Ed25519PrivateKey.generate(), oids.SHA512),
    (mldsa.MLDSA65PrivateKey.generate(), oids.SHA512),
]


@pytest.mark.parametrize(("key", "digest"), KEYS)
def test_every_kind_of_key_signs_in_its_scheme(key: Any, digest: object) -> None:
    scheme = scheme_of(key)
    assert scheme.digest == digest
    verify(key.public_key(), scheme.digest, b"data", sign(key, b"data"))
    with pytest.raises(InvalidSignature):
        verify(key.public_key(), scheme.digest, b"other", sign(key, b"data"))


def test_a_curve_signs_the_same_bytes_the_same_way() -> None:
    key = KEYS[0][0]
    assert sign(key, b"data") == sign(key, b"data")


@pytest.mark.parametrize("key", [ed448.Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())])
def test_a_key_of_another_kind_signs_nothing(key: Any) -> None:
    with pytest.raises(MaterialError, match="signs nothing"):
        scheme_of(key)


def test_a_hash_or_key_that_is_not_taken_checks_nothing() -> None:
    with pytest.raises(BadDER, match="hash"):
        verify(ec.generate_private_key(ec.SECP256R1()).public_key(), oids.DATA, b"", b"")
    with pytest.raises(BadDER, match="kind"):
        verify(x25519.X25519PrivateKey.generate().public_key(), oids.SHA256, b"", b"")
