"""Keys by their kind; one that nobody takes is told by its name."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, mlkem, x448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nestor.est.pkcs10 import read
from nestor.model import CertificationRequest, KeyType
from support import shapes
from support.der import bits, oid, sequence

KEY = shapes.p256()
RSA_KEY = shapes.rsa2048()


def asked(spki: bytes) -> CertificationRequest:
    return read(shapes.request("device-1", KEY, spki=spki).der)


@pytest.mark.parametrize(
    ("key", "name", "size"),
    [
        (ec.generate_private_key(ec.SECP224R1()), "secp224r1", 224),
        (ec.generate_private_key(ec.BrainpoolP256R1()), "brainpoolP256r1", 256),
        (dsa.generate_private_key(1024), "DSA", 1024),
        (ed448.Ed448PrivateKey.generate(), "Ed448", 456),
        (x448.X448PrivateKey.generate(), "X448", 448),
        (mlkem.MLKEM768PrivateKey.generate(), "ML-KEM-768", 9472),
    ],
)
def test_a_kind_that_nobody_takes_is_named(key: object, name: str, size: int) -> None:
    request = asked(shapes.spki_of(key))
    assert (request.key_type, request.public_key, request.key_name, request.key_bits) == (None, None, name, size)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (sequence(oid("1.2.3.4")), "1.2.3.4"),
        (sequence(oid("1.2.840.10045.2.1"), oid("1.3.132.0.6")), "curve 1.3.132.0.6"),
    ],
)
def test_a_kind_that_nobody_knows_is_told_by_its_number(algorithm: bytes, name: str) -> None:
    request = asked(sequence(algorithm, bits(b"key")))
    assert (request.key_type, request.key_name, request.key_bits) == (None, name, 0)
    assert request.spki == sequence(algorithm, bits(b"key"))


def test_a_pss_key_does_not_pass_for_a_plain_rsa_key() -> None:
    point = x509.load_der_x509_csr(shapes.device_identity("x", RSA_KEY).der).public_key()
    pkcs1 = point.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    request = asked(sequence(sequence(oid("1.2.840.113549.1.1.10")), bits(pkcs1)))
    assert (request.key_type, request.key_name, request.key_bits) == (None, "RSASSA-PSS", 2048)


def test_a_key_is_recognized_whatever_its_encoding() -> None:
    compressed = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"))
    request = asked(sequence(algorithm, bits(compressed)))
    assert request.key_type is KeyType.EC_P256
    assert request.spki_sha256 == asked(shapes.spki_of(KEY)).spki_sha256
