"""A generated key in its envelope: the worked example to the byte, openssl as the reader, and every wrong reader."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est import envelope, oids
from nestor.est.der import octets, oid, sequence, tlv
from nestor.est.recipients import Algorithms
from support.est_vectors import VECTORS
from support.signing import Signed, rsa_key, sign

NEW = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
GENERATOR_KEY = ec.derive_private_key(0x0FEDCBA987654321, ec.SECP256R1())
PKCS8 = NEW.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SHARED, CONTENT_KEY, IV, KEY_ID = bytes(range(32)), bytes(range(32, 64)), bytes(range(16)), b"kek-2026-01"
BOTH = (oids.AES_256_WRAP, oids.AES_256_CBC)
POINT = GENERATOR_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SKI = x509.SubjectKeyIdentifier(hashlib.sha1(POINT).digest())
GENERATOR = sign("Generator", key=GENERATOR_KEY, extensions=[SKI])
SIGNED = envelope.sign_package(PKCS8, GENERATOR.key, GENERATOR.certificate)
RSA_READER = sign("RSA reader", key=rsa_key(2048))
EC_READERS = [
    sign("EC reader", key=ec.generate_private_key(curve)) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
]
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")


def wrapped(algorithms: Algorithms = BOTH, shared: bytes = SHARED) -> bytes:
    return envelope.envelop_symmetric(SIGNED, KEY_ID, shared, algorithms, CONTENT_KEY, IV)


def test_the_worked_example_comes_out_to_the_byte() -> None:
    signed = envelope._signed_data(PKCS8, GENERATOR_KEY, tlv(0x80, SKI.digest), b"")
    enveloped = envelope.envelop_symmetric(signed, KEY_ID, SHARED, BOTH, CONTENT_KEY, IV)
    assert hashlib.sha256(enveloped).hexdigest() == "63f0a20fea08f1f9d314924b550b1055e1358ced7588273fa6564e8597b47abb"
    assert enveloped == VECTORS["EnvelopedData"]


def test_the_worked_example_is_opened() -> None:
    signed = envelope.open_symmetric(VECTORS["EnvelopedData"], KEY_ID, SHARED)
    assert envelope.read_package(signed, GENERATOR.certificate) == PKCS8


@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_shared_key_of_every_size_opens_what_it_wrapped(size: int) -> None:
    assert envelope.open_symmetric(wrapped((), SHARED[:size]), KEY_ID, SHARED[:size]) == SIGNED


@pytest.mark.parametrize("reader", [RSA_READER, *EC_READERS])
@pytest.mark.parametrize("algorithms", [(), (oids.AES_128_WRAP, oids.AES_128_CBC, oids.RSA_ENCRYPTION)])
def test_a_certificate_holder_opens_what_was_wrapped_for_it(reader: Signed, algorithms: Algorithms) -> None:
    enveloped = envelope.envelop_certificate(SIGNED, reader.certificate, algorithms, CONTENT_KEY, IV)
    assert envelope.open_with_key(enveloped, reader.key) == SIGNED


@needs_openssl
def test_openssl_opens_what_a_shared_key_wrapped() -> None:
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary", "-secretkey", SHARED.hex()]
    shown = subprocess.run([*command, "-secretkeyid", KEY_ID.hex()], input=wrapped(), capture_output=True, check=True)
    assert shown.stdout == SIGNED


@needs_openssl
@pytest.mark.parametrize("reader", [RSA_READER, *EC_READERS])
@pytest.mark.parametrize("algorithms", [(), (oids.AES_128_WRAP, oids.AES_128_CBC, oids.RSA_ENCRYPTION)])
def test_openssl_opens_what_was_wrapped_for_a_certificate(
    reader: Signed, algorithms: Algorithms, tmp_path: Path
) -> None:
    enveloped = envelope.envelop_certificate(SIGNED, reader.certificate, algorithms, CONTENT_KEY, IV)
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary", *_key_and_certificate(reader, tmp_path)]
    assert subprocess.run(command, input=enveloped, capture_output=True, check=True).stdout == SIGNED


@needs_openssl
@pytest.mark.parametrize("reader", [RSA_READER, *EC_READERS])
def test_what_openssl_wraps_is_opened(reader: Signed, tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_bytes(reader.pem)
    command = ["openssl", "cms", "-encrypt", "-aes256", "-outform", "DER", "-binary", str(tmp_path / "certificate.pem")]
    enveloped = subprocess.run(command, input=SIGNED, capture_output=True, check=True).stdout
    assert envelope.open_with_key(enveloped, reader.key) == SIGNED


@needs_openssl
@pytest.mark.parametrize("key", [GENERATOR_KEY, ec.generate_private_key(ec.SECP384R1()), rsa_key(2048)])
def test_openssl_verifies_who_made_the_key(key: Any, tmp_path: Path) -> None:
    generator = sign("Generator", key=key)
    signed = envelope.sign_package(PKCS8, generator.key, generator.certificate)
    content = sequence(oid(oids.SIGNED_DATA), tlv(0xA0, signed))
    command = ["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-binary"]
    assert subprocess.run(command, input=content, capture_output=True, check=True).stdout == sequence(PKCS8)


def test_a_content_info_around_the_signed_data_is_taken_off() -> None:
    inside = sequence(oid(oids.SIGNED_DATA), tlv(0xA0, SIGNED))
    enveloped = envelope.envelop_symmetric(inside, KEY_ID, SHARED, BOTH, CONTENT_KEY, IV)
    assert envelope.open_symmetric(enveloped, KEY_ID, SHARED) == SIGNED


@pytest.mark.parametrize("key", [GENERATOR_KEY, rsa_key(2048), ed25519.Ed25519PrivateKey.generate()])
def test_every_kind_of_generator_signs(key: Any) -> None:
    from cryptography.hazmat.primitives import hashes

    name = x509.Name([])
    start = sign("any").certificate
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, start.not_valid_before_utc, start.not_valid_after_utc
    )
    certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    assert envelope.read_package(envelope.sign_package(PKCS8, key, certificate), certificate) == PKCS8


def test_a_package_that_somebody_else_signed_is_refused() -> None:
    with pytest.raises(Malformed, match="signed key package"):
        envelope.read_package(SIGNED, sign("Somebody").certificate)


def test_a_package_that_was_exchanged_is_refused() -> None:
    other = PKCS8[:-1] + bytes([PKCS8[-1] ^ 1])
    with pytest.raises(Malformed, match="another package"):
        envelope.read_package(SIGNED.replace(PKCS8, other), GENERATOR.certificate)


@pytest.mark.parametrize(
    ("algorithms", "why"),
    [
        ((oids.AES_256_WRAP,), "list no cipher"),
        ((oids.AES_256_CBC,), "do not list the key wrapping"),
        ((oids.AES_128_WRAP, oids.AES_256_CBC), "do not list the key wrapping"),
    ],
)
def test_what_the_reader_would_not_understand_is_not_sent(algorithms: Algorithms, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        wrapped(algorithms)


def test_a_shared_key_of_no_size_is_refused() -> None:
    with pytest.raises(Malformed, match="no size that AES has"):
        wrapped((), b"short")


@pytest.mark.parametrize(("key_id", "shared"), [(b"other", SHARED), (KEY_ID, bytes(32)), (KEY_ID, bytes(16))])
def test_nobody_else_opens_it(key_id: bytes, shared: bytes) -> None:
    with pytest.raises(Malformed, match="encrypted key cannot be read"):
        envelope.open_symmetric(wrapped(), key_id, shared)


def test_no_other_key_opens_it() -> None:
    for reader in (RSA_READER, *EC_READERS):
        enveloped = envelope.envelop_certificate(SIGNED, reader.certificate, (), CONTENT_KEY, IV)
        for other in (NEW, rsa_key(1024), ed25519.Ed25519PrivateKey.generate()):
            with pytest.raises(Malformed):
                envelope.open_with_key(enveloped, other)


@settings(max_examples=60)
@given(st.sampled_from([RSA_READER, EC_READERS[0], None]), st.data())
def test_whatever_is_broken_in_an_envelope_only_malformed_escapes(reader: Signed | None, data: st.DataObject) -> None:
    whole = (
        wrapped() if reader is None else envelope.envelop_certificate(SIGNED, reader.certificate, (), CONTENT_KEY, IV)
    )
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        if reader is None:
            opened = envelope.open_symmetric(bytes(broken), KEY_ID, SHARED)
        else:
            opened = envelope.open_with_key(bytes(broken), reader.key)
        envelope.read_package(opened, GENERATOR.certificate)
    except Malformed:
        return


@given(st.data())
def test_whatever_is_broken_in_a_package_only_malformed_escapes(data: st.DataObject) -> None:
    broken = bytearray(SIGNED)
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        envelope.read_package(bytes(broken), GENERATOR.certificate)
    except Malformed:
        return


@pytest.mark.parametrize("content", [b"", octets(b""), sequence(oid(oids.SIGNED_DATA))])
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        envelope.open_symmetric(content, KEY_ID, SHARED)


def _key_and_certificate(reader: Signed, folder: Path) -> list[str]:
    (folder / "key.pem").write_bytes(reader.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "certificate.pem").write_bytes(reader.pem)
    return ["-inkey", str(folder / "key.pem"), "-recip", str(folder / "certificate.pem")]
