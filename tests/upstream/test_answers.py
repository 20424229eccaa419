"""Answers of EST servers in every form that is deployed, and in some that are wrong."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from multidict import CIMultiDict

from nestor.est import keygen
from nestor.upstream.answers import choose_certificate, read_certificates, read_csr_attributes, read_generated_key
from nestor.upstream.faults import BadAnswer
from nestor.upstream.wire import Answer
from support import pki
from support.device import CERTS_ONLY, Identity, wrapped
from support.shapes import spki_of


def _answer(body: bytes, content_type: str | None = CERTS_ONLY, **headers: str) -> Answer:
    kind = {} if content_type is None else {"Content-Type": content_type}
    return Answer(200, CIMultiDict({**kind, **headers}), body, None)


@pytest.fixture(scope="module")
def device() -> Identity:
    return pki.authority().intermediate("Issuing").issue("device")


@pytest.fixture(scope="module")
def der(device: Identity) -> bytes:
    return pkcs7.serialize_certificates([device.certificate], Encoding.DER)


def _bodies(der: bytes) -> dict[str, bytes]:
    text = base64.b64encode(der)
    return {
        "lines": wrapped(der),
        "carriage returns": wrapped(der, end=b"\r\n"),
        "one line": text,
        "blanks": b"  \t" + wrapped(der, 17, b"\n  ") + b"\n\n",
        "PEM PKCS7": b"-----BEGIN PKCS7-----\n" + wrapped(der) + b"-----END PKCS7-----\n",
        "PEM CMS": b"-----BEGIN CMS-----\r\n" + wrapped(der, end=b"\r\n") + b"-----END CMS-----\r\n",
        "bare DER": der,
    }


@pytest.mark.conformance("CL-14")
@pytest.mark.parametrize("form", _bodies(b""))
def test_certificates_are_read_in_every_form_that_servers_send(device: Identity, der: bytes, form: str) -> None:
    assert list(read_certificates(_answer(_bodies(der)[form]), "est")) == [device.certificate]


@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "Application/PKCS7-MIME ; smime-type=certs-only", None])
def test_the_media_type_may_lack_its_parameter(device: Identity, der: bytes, kind: str | None) -> None:
    assert list(read_certificates(_answer(wrapped(der), kind), "est")) == [device.certificate]


@pytest.mark.conformance("CL-14")
@pytest.mark.parametrize("encoding", ["binary", "base64", "quoted-printable", "nonsense"])
def test_the_transfer_encoding_is_not_looked_at(device: Identity, der: bytes, encoding: str) -> None:
    answer = _answer(wrapped(der), **{"Content-Transfer-Encoding": encoding})
    assert list(read_certificates(answer, "est")) == [device.certificate]


def test_a_page_for_people_is_told() -> None:
    with pytest.raises(BadAnswer, match="est answers with text/html where EST has application/pkcs7-mime"):
        read_certificates(_answer(b"<html>", "text/html; charset=utf-8"), "est")


@pytest.mark.parametrize("body", [b"", b"not base64!", b"AAAA", wrapped(b"\x30\x03\x02\x01\x00")])
def test_what_cannot_be_read_is_told(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="The answer of est cannot be read"):
        read_certificates(_answer(body), "est")


def test_no_csr_attributes_are_an_empty_sequence() -> None:
    assert not read_csr_attributes(_answer(b"MAA=", "application/csrattrs"), "est").challenge_password


def test_csr_attributes_say_that_a_link_is_wanted() -> None:
    assert read_csr_attributes(_answer(b"MAsGCSqGSIb3DQEJBw==", "application/csrattrs"), "est").challenge_password


def test_csr_attributes_that_cannot_be_read_are_told() -> None:
    with pytest.raises(BadAnswer):
        read_csr_attributes(_answer(b"MAsGCSqGSIb3DQEJ", "application/csrattrs"), "est")


def test_of_a_chain_the_certificate_for_our_key_is_kept(device: Identity) -> None:
    found = [*device.chain, device.certificate]
    assert choose_certificate(found, spki_of(device.key), "est") == device.certificate


def test_a_certificate_for_another_key_is_refused(device: Identity) -> None:
    other = pki.authority().issue("device")
    with pytest.raises(BadAnswer, match="a certificate for another key"):
        choose_certificate([device.certificate], spki_of(other.key), "est")


def _pkcs8(identity: Identity) -> bytes:
    return bytes(identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _generated(key: bytes, certificate: x509.Certificate, *, encrypted: bool = False) -> Answer:
    certs = pkcs7.serialize_certificates([certificate], Encoding.DER)
    content_type, body = keygen.respond(key, encrypted, certs)
    return _answer(body, content_type)


def test_a_generated_key_comes_with_its_certificate(device: Identity) -> None:
    made = read_generated_key(_generated(_pkcs8(device), device.certificate), "est")
    assert (made.key, made.encrypted, made.certificate) == (_pkcs8(device), False, device.certificate)


def test_a_generated_key_that_is_not_the_certificates_is_refused(device: Identity) -> None:
    other = pki.authority().issue("device")
    with pytest.raises(BadAnswer, match="a certificate for another key"):
        read_generated_key(_generated(_pkcs8(other), device.certificate), "est")


def test_a_generated_key_shows_nowhere(device: Identity) -> None:
    key = _pkcs8(device)
    assert repr(key)[2:40] not in repr(read_generated_key(_generated(key, device.certificate), "est"))
    with pytest.raises(BadAnswer) as refused:
        read_generated_key(_generated(key[:-40] + bytes(40), device.certificate), "est")
    assert refused.value.__cause__ is None


def test_an_answer_without_parts_is_told() -> None:
    with pytest.raises(BadAnswer, match="where EST has multipart/mixed"):
        read_generated_key(_answer(b"", "application/pkcs8"), "est")
    with pytest.raises(BadAnswer, match="cannot be read"):
        read_generated_key(_answer(b"", "multipart/mixed; boundary=x"), "est")
