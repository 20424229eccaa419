"""The two parts of a generated key: written as clients want them, read in whatever order and dress they come."""

import email
import email.policy

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est.keygen import read_response, respond
from nestor.est.pkcs7 import certs_only
from nestor.est.transfer import Dialect, encode
from support.est_vectors import VECTORS
from support.shapes import p256
from support.signing import root

KEY = p256().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
CERTIFICATE = certs_only([root().certificate])
ENCRYPTED = VECTORS["EnvelopedData"]


@pytest.mark.parametrize(("key", "encrypted"), [(KEY, False), (ENCRYPTED, True)])
def test_what_is_answered_is_read(key: bytes, *, encrypted: bool) -> None:
    content_type, body = respond(key, encrypted, CERTIFICATE)
    assert read_response(content_type, body) == (key, encrypted, CERTIFICATE)


def test_the_answer_is_what_mail_programs_and_clients_expect() -> None:
    content_type, body = respond(KEY, False, CERTIFICATE)
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\n\n" + body, policy=email.policy.HTTP
    )
    key, certificate = message.iter_parts()
    assert (key["Content-Type"], key["Content-Transfer-Encoding"]) == ("application/pkcs8", "base64")
    assert b"\nContent-Type: application/pkcs7-mime; smime-type=certs-only\n" in body
    assert (key.get_content(), certificate.get_content()) == (KEY, CERTIFICATE)
    assert b"\r" not in body
    assert max(map(len, body.split(b"\n"))) <= 72


def test_an_encrypted_key_is_announced_as_one() -> None:
    _, body = respond(ENCRYPTED, True, CERTIFICATE)
    assert b"Content-Type: application/pkcs7-mime; smime-type=server-generated-key\n" in body


def test_the_same_parts_make_the_same_answer() -> None:
    assert respond(KEY, False, CERTIFICATE) == respond(KEY, False, CERTIFICATE)


def part(der: bytes, headers: bytes = b"") -> bytes:
    return headers + b"\r\n" + encode(der, Dialect.ONE_LINE) + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed; boundary=b", b"--b\r\n" + part(CERTIFICATE) + b"--b\r\n" + part(KEY) + b"--b--"),
        (
            'Multipart/Mixed;Boundary="b"',
            b"preamble\n--b\n" + part(KEY) + b"--b\n" + part(CERTIFICATE) + b"--b--\nepilogue",
        ),
        (
            "multipart/mixed; boundary=b",
            b"--b\n" + part(KEY, b"X: y\n") + b"--b \n" + part(CERTIFICATE) + b"--b--\n--b",
        ),
    ],
)
def test_order_line_breaks_and_headers_do_not_matter(content_type: str, body: bytes) -> None:
    assert read_response(content_type, body) == (KEY, False, CERTIFICATE)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/pkcs8", b""),
        ("multipart/mixed", b""),
        ("multipart/mixed; boundary=", b""),
        ("multipart/mixed; boundary=b", b""),
        ("multipart/mixed; boundary=b", b"--b\n" + part(KEY) + b"--b--"),
        ("multipart/mixed; boundary=b", b"--b\n" + part(KEY) + b"--b\n" + part(KEY) + b"--b--"),
        ("multipart/mixed; boundary=b", b"--b\n" + part(KEY) + b"--b\n" + part(ENCRYPTED) + b"--b--"),
        ("multipart/mixed; boundary=b", b"--b\n" + part(VECTORS["O2"]) + b"--b\n" + part(CERTIFICATE) + b"--b--"),
        (
            "multipart/mixed; boundary=b",
            (b"--b\n" + part(KEY)) * 2 + b"--b\n" + part(CERTIFICATE) + b"--b\n" + part(ENCRYPTED),
        ),
    ],
)
def test_anything_but_one_key_and_its_certificate_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read_response(content_type, body)
    assert encode(KEY, Dialect.ONE_LINE)[:20].decode() not in caught.value.text


@given(st.text(max_size=60), st.binary(max_size=200))
def test_whatever_the_answer_is_only_malformed_escapes(content_type: str, body: bytes) -> None:
    for kind, whole in (
        (content_type, body),
        ("multipart/mixed; boundary=b", b"--b\n\n" + body + b"\n--b\n\nMAA=\n--b--"),
    ):
        try:
            read_response(kind, whole)
        except Malformed:
            continue
