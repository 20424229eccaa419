"""What aziot-certd takes, held against the stand-in for certd that the conformance tests use."""

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.doctor.reading import MEDIA_TYPE, Misread, read, read_leniently, said
from nestor.doctor.seen import Answer
from nestor.est import pkcs7
from support import pki
from support.asking import NOW
from support.certd import Certd, EstFailed
from support.device import wrapped

_CA = pki.authority()
_BELOW = _CA.intermediate("A CA with a longer name than the root's")
_BOTH = (_CA.certificate, _BELOW.certificate)
_DER = pkcs7.certs_only(_BOTH, chain_order=True)
_PEM = b"-----BEGIN PKCS7-----\n" + wrapped(_DER) + b"-----END PKCS7-----\n"
_CERTD = Certd("https://est.plant", Path("nowhere"))


def _answer(body: bytes = wrapped(_DER), status: int = 200, kind: str | None = MEDIA_TYPE, **more: str) -> Answer:
    headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in more.items()}}
    return Answer(status, tuple((name, value) for name, value in headers.items() if value is not None), body, NOW)


_TAKEN = [
    _answer(),
    _answer(kind=f"{MEDIA_TYPE}; smime-type=certs-only"),
    _answer(kind=f"{MEDIA_TYPE};x"),
    _answer(Content_Transfer_Encoding="binary"),
    _answer(base64.b64encode(_DER)),
    _answer(wrapped(_DER, 76, b"\r\n")),
    _answer(_PEM),
]
_NOT_TAKEN = [
    (_answer(status=201), "answers 201 Created"),
    (_answer(status=202), "it wants to decide later"),
    (_answer(status=204), "answers 204 No Content"),
    (_answer(status=299), "answers 299"),
    (_answer(status=301, Location="https://est.plant/\x1b"), r"with a redirect to https://est.plant/\x1b"),
    (_answer(status=401), "answers 401 Unauthorized"),
    (_answer(status=503), "answers 503 Service Unavailable"),
    (_answer(kind=None), "without a Content-Type"),
    (_answer(kind="Application/pkcs7-mime"), "letter by letter"),
    (_answer(kind=f"{MEDIA_TYPE} ; smime-type=certs-only"), "the space before the semicolon"),
    (_answer(kind=f"{MEDIA_TYPE}x"), "which is not"),
    (_answer(_DER), "bare DER"),
    (_answer(_BELOW.pem()), "PEM of another kind"),
    (_answer(b"!" + wrapped(_DER)), "not base64"),
    (_answer(base64.b64encode(b"certainly no certificate")), "not a PKCS #7"),
    (_answer(base64.b64encode(_CA.certificate.public_bytes(Encoding.DER))), "not a PKCS #7"),
    (_answer(b""), "an empty body"),
    (_answer(b"\r\n"), "an empty body"),
]


@pytest.mark.parametrize("answer", _TAKEN)
def test_what_certd_takes_is_read_in_its_order(answer: Answer) -> None:
    assert read(answer) == _BOTH
    assert tuple(_as_certd(answer)) == _BOTH


@pytest.mark.parametrize(("answer", "what"), _NOT_TAKEN)
def test_what_certd_does_not_take_is_told_with_its_remedy(answer: Answer, what: str) -> None:
    found = read(answer)
    assert isinstance(found, Misread)
    assert what in found.what
    assert found.remedy.endswith(".")
    with pytest.raises((EstFailed, AssertionError)):
        _as_certd(answer)


def test_no_certificates_are_none_too_few_for_certd_and_too_few_for_us() -> None:
    found = read(_answer(wrapped(pkcs7.certs_only([]))))
    assert isinstance(found, Misread)
    assert found.what == "answers with a PKCS #7 that holds no certificate"


def test_ber_is_taken_as_openssl_takes_it() -> None:
    assert _DER[1] == 0x82
    indefinite = b"\x30\x80" + _DER[4:] + b"\0\0"
    assert read(_answer(wrapped(indefinite))) == _BOTH


def test_the_servers_own_sentence_is_quoted_where_it_is_text() -> None:
    assert said(_answer(b"Not\nyou.\x07", kind="text/plain; charset=utf-8")) == r'"Not you.\x07"'
    assert said(_answer(b"Not you.", kind=None)) == '"Not you."'
    assert said(_answer(b"<html>", kind="text/html")) == ""
    found = read(_answer(b"Not you.", 403, "text/plain"))
    assert isinstance(found, Misread)
    assert found.what.endswith('takes 200 only: "Not you."')


def test_what_was_issued_is_found_in_answers_that_are_not_taken() -> None:
    assert read_leniently(_answer(status=201, kind=None)) == _BOTH
    assert read_leniently(_answer(b"<html>", 404, "text/html")) == ()


def _as_certd(answer: Answer) -> list[x509.Certificate]:
    return _CERTD.judge(answer.status, answer.header("content-type"), answer.body)


@pytest.mark.parametrize("status", [403, 502])
def test_behind_a_forwarder_it_is_the_server_named_last_that_counts(status: int) -> None:
    body = b"gw3:8085 refuses simpleenroll (403): gw-1 is not granted. (request 1a, 2b)"
    found = read(_answer(body, status=status))
    assert isinstance(found, Misread)
    assert found.remedy.startswith("This server forwards: look at the server that is named last. ")
    plain = read(_answer(b"gw-1 is not granted.", status=status))
    assert isinstance(plain, Misread)
    assert "forwards" not in plain.remedy
