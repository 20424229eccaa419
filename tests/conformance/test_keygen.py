"""Server-side key generation: a key in the clear inside TLS, or wrapped for one reader; never anywhere else."""

import base64
import email
import json
import ssl
from email.message import Message
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from support.answers import Answer, certs_only
from support.der import elements, oid, sequence, split, tlv
from support.device import CERTS_ONLY, Device, Identity, wrapped
from support.openssl import run, s_client
from support.proving import KEK, KEK_ID, Place
from support.shapes import (
    ASYMMETRIC_DECRYPT_KEY_ID,
    DECRYPT_KEY_ID,
    broken,
    device_identity,
    est_identity,
    p256,
    request,
    rsa2048,
    wrapping,
)
from support.traces import holds
from support.wire import enrollment

_AES256_WRAP, _AES256_CBC = "2.16.840.1.101.3.4.1.45", "2.16.840.1.101.3.4.1.42"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_WRAPPED_KEY = "application/pkcs7-mime; smime-type=server-generated-key"


@pytest.fixture
def maker(line: Device) -> Device:
    """A device on the label where the server makes keys."""
    return line.but(label="keys")


def _parts(answer: Answer) -> list[Message]:
    assert answer.status == 200, answer.text
    whole = email.message_from_bytes(f"Content-Type: {answer['Content-Type']}\n\n".encode() + answer.body)
    assert whole.is_multipart()
    return [part for part in whole.walk() if part is not whole]


def _content(part: Message) -> bytes:
    text = part.get_payload()
    assert isinstance(text, str)
    return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)


def _made(answer: Answer) -> Identity:
    """The key in the clear, and its certificate."""
    key, certificate = _parts(answer)
    (issued,) = certs_only(_content(certificate))
    return Identity(issued, load_der_private_key(_content(key), None))


def _wrapped(maker: Device, name: str, kind: str, key_id: bytes) -> Answer:
    asked = request(name, None, (), wrapping(kind, key_id, _AES256_WRAP, _AES256_CBC))
    return maker.enroll(asked, "serverkeygen")


def _key_in(signed_data: bytes, directory: Path, plant: Place) -> object:
    """The key in a SignedData, which openssl verifies with what /cacerts shows (RFC 5958, 2)."""
    message, anchors = directory / "signed.der", directory / "cacerts.pem"
    message.write_bytes(sequence(oid(_SIGNED_DATA), tlv(0xA0, signed_data)))
    anchors.write_bytes(plant.issuing.pem + plant.top.pem)
    verify = ("cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", anchors)
    ((_, keys),) = elements(run(*verify, "-in", message))
    (key,) = split(keys)
    return load_der_private_key(key, None)


@pytest.mark.conformance("KG-1", "KG-2", "KG-3", "KG-4")
def test_a_key_and_its_certificate_are_made(plant: Place, maker: Device) -> None:
    asked = device_identity("kg-made")
    answer = maker.post("serverkeygen", wrapped(broken(asked)))
    made = _made(answer)
    assert made.key.public_key() == made.certificate.public_key() != asked.key.public_key()
    assert plant.stranger.but(identity=made).enroll(device_identity("kg-made")).status == 200


@pytest.mark.conformance("KG-3", "KG-4", "KG-12")
def test_the_parts_are_labelled_as_libest_wants_them(maker: Device) -> None:
    answer = maker.enroll(est_identity("kg-parts"), "serverkeygen")
    parts = _parts(answer)
    assert [part["Content-Type"] for part in parts] == ["application/pkcs8", CERTS_ONLY]
    assert [part["Content-Transfer-Encoding"] for part in parts] == ["base64", "base64"]
    assert all(len(line) <= 64 for part in parts for line in str(part.get_payload()).splitlines())


@pytest.mark.conformance("KG-5", "KG-7")
def test_a_key_is_wrapped_under_a_shared_key(plant: Place, maker: Device, tmp_path: Path) -> None:
    key, certificate = _parts(_wrapped(maker, "kg-shared", DECRYPT_KEY_ID, KEK_ID.encode()))
    assert (key["Content-Type"], key["Content-Transfer-Encoding"]) == (_WRAPPED_KEY, "base64")
    (tmp_path / "key.der").write_bytes(_content(key))
    signed = run(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp_path / "key.der",
        "-secretkey", KEK.hex(), "-secretkeyid", KEK_ID.encode().hex(),
    )  # fmt: skip
    (issued,) = certs_only(_content(certificate))
    assert _public(_key_in(signed, tmp_path, plant)) == issued.public_key()


@pytest.mark.conformance("KG-5", "KG-7")
def test_a_key_is_wrapped_for_a_certificate(plant: Place, maker: Device, tmp_path: Path) -> None:
    reader = maker.but(label="device").enrolled(device_identity("kg-reader", rsa2048()))
    device = maker.but(identity=reader, user=None)
    key, certificate = _parts(_wrapped(device, "kg-reader", ASYMMETRIC_DECRYPT_KEY_ID, _key_id(reader)))
    (tmp_path / "key.der").write_bytes(_content(key))
    (tmp_path / "reader.pem").write_bytes(reader.pem)
    signed = run(
        "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp_path / "key.der",
        "-recip", tmp_path / "reader.pem", "-inkey", tmp_path / "reader.pem",
    )  # fmt: skip
    (issued,) = certs_only(_content(certificate))
    assert _public(_key_in(signed, tmp_path, plant)) == issued.public_key()


@pytest.mark.conformance("KG-6")
@pytest.mark.parametrize("kind", [DECRYPT_KEY_ID, ASYMMETRIC_DECRYPT_KEY_ID])
def test_an_unknown_wrapping_key_is_an_error(maker: Device, kind: str) -> None:
    answer = _wrapped(maker, "kg-unknown", kind, b"unknown")
    assert (answer.status, (answer["Content-Type"] or "").partition(";")[0]) == (400, "text/plain")


@pytest.mark.conformance("KG-8")
def test_a_certificate_for_signatures_only_is_no_wrapping_key(maker: Device) -> None:
    reader = maker.but(label="est").enrolled(est_identity("kg-signer", rsa2048()))
    device = maker.but(identity=reader, user=None)
    assert _wrapped(device, "kg-signer", ASYMMETRIC_DECRYPT_KEY_ID, _key_id(reader)).status == 400


_WEAKER = (("-tls1_2", "-cipher", "ECDHE+AES128"), ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"))


def _over(suite: tuple[str, ...], device: Device, body: bytes) -> str:
    """What a client that offers nothing else hears on /serverkeygen."""
    head = enrollment(device, len(body), operation="serverkeygen")
    return s_client(device.port, *suite, "-ign_eof", say=head + body)


@pytest.mark.conformance("KG-9")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_key_is_given_over_a_session_that_is_as_strong(line: Device, version: ssl.TLSVersion) -> None:
    made = _made(line.but(label="large-keys", tls=version).enroll(est_identity("kg-strong"), "serverkeygen"))
    assert made.key.curve.key_size == 384


@pytest.mark.conformance("KG-9")
@pytest.mark.parametrize("suite", _WEAKER)
def test_a_key_is_not_given_over_a_weaker_session_wrapped_or_not(line: Device, suite: tuple[str, ...]) -> None:
    wrap = wrapping(DECRYPT_KEY_ID, KEK_ID.encode(), _AES256_WRAP, _AES256_CBC)
    for asked in (est_identity("kg-weak"), request("kg-weak", None, (), wrap)):
        heard = _over(suite, line.but(label="large-keys"), wrapped(asked.der))
        assert "HTTP/1.1 403" in heard
        assert "192 bits" in heard
        assert "HTTP/1.1 200" in _over(suite, line.but(label="keys"), wrapped(asked.der)), "P-256 has 128 bits"


@pytest.mark.conformance("KG-11")
def test_a_key_leaves_no_trace_and_is_never_given_twice(plant: Place, maker: Device) -> None:
    asked = device_identity("kg-trace")
    made, again = (_made(maker.enroll(asked, "serverkeygen")) for _ in range(2))
    assert made.key.public_key() != again.key.public_key()
    kept = {file: file.read_bytes() for file in plant.server.place.rglob("*") if file.is_file()}
    assert any(made.certificate.public_bytes(Encoding.DER) in content for content in kept.values())
    assert [file for file, content in kept.items() if holds(content, _secret(made.key))] == []


@pytest.mark.parametrize("columns", [1, 20, 63, 64, 76, 10_000])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_the_search_for_traces_finds_a_key_however_it_is_written(form: PrivateFormat, columns: int) -> None:
    key = p256()
    der = key.private_bytes(Encoding.DER, form, NoEncryption())
    pem = wrapped(der, columns, b"\r\n")
    written = (
        der,
        pem,
        json.dumps({"key": pem.decode()}).encode(),
        base64.urlsafe_b64encode(der),
        der.hex(":").encode(),
    )
    assert all(holds(b"before" + one + b"after", _secret(key)) for one in written)
    assert not any(holds(one, _secret(p256())) for one in written)


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32)


def _key_id(identity: Identity) -> bytes:
    return identity.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _public(key: object) -> object:
    assert hasattr(key, "public_key")
    return key.public_key()
