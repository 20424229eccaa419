"""What aziot-certd takes as an answer, and what it does not (iot-identity-service: cert/aziot-certd/src/est.rs).

Status exactly 200; a media type that is, letter by letter, application/pkcs7-mime, or begins with that and a semicolon;
base64 or PEM around a PKCS #7 with certificates. No other header counts: how the body is transferred does not matter.
"""

import binascii
import http
import re
import warnings
from collections.abc import Mapping
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7

from nestor.doctor.seen import Answer
from nestor.doctor.words import quoted

MEDIA_TYPE = "application/pkcs7-mime"
_FORWARDED = re.compile(rb"\S refuses \w+ \([0-9]{3}\): ")
"""How a Nestor that forwards begins what it was told by the server above."""

_SENT = f'Answer with Content-Type "{MEDIA_TYPE}; smime-type=certs-only" (RFC 7030, 4.2.3), in lower case.'
_BODY = "Answer with the base64 of a certs-only PKCS #7 (RFC 8951, 3.1)."
_PEM = b"-----BEGIN"
_PEM_PKCS7 = re.compile(rb"-----BEGIN PKCS7-----")
_WHITE = b" \t\r\n\x0b\x0c"
_SEQUENCE = 0x30
_ASCII = 0x80


class Misread(NamedTuple):
    """Why aziot-certd does not take an answer, as the rest of a sentence about the server; and the remedy."""

    what: str
    remedy: str


_STATUSES: Mapping[int, tuple[str, str]] = {
    201: ("", "Answer 200: aziot-certd takes nothing else, although the certificate is there."),
    202: (
        ": it wants to decide later",
        "Decide at once on this path: aziot-certd does not wait, and its next request has another key.",
    ),
    204: (": it has nothing to say", "Answer 200 with the certificates."),
    400: ("", "The request was as aziot-certd sends it; the server's sentence or log says what it missed."),
    401: ("", "Check user and password, and that this user is known to the server."),
    403: ("", "Let the server grant this identity what it asks for: its name, and this kind of certificate."),
    404: ("", "Check path and label of the URL."),
    405: ("", "Check path and label of the URL: the server takes no POST there."),
    413: ("", "Let the server take requests of a few kilobytes."),
    415: ("", "Let the server take application/pkcs10 with base64 in lines."),
    429: ("", "Wait, then let the server take more requests: aziot-certd asks again every few seconds."),
    501: ("", "Use a server that offers simpleenroll and cacerts."),
}


def read(answer: Answer) -> tuple[x509.Certificate, ...] | Misread:
    """The certificates of an answer, in the order on the wire; or why aziot-certd does not take it."""
    if answer.status != http.HTTPStatus.OK:
        return _misread_status(answer)
    kind = answer.header("content-type")
    if kind is None or not (kind == MEDIA_TYPE or kind.startswith(f"{MEDIA_TYPE};")):
        return Misread(_wrong_type(kind), _SENT)
    return _read_body(answer.body)


def read_leniently(answer: Answer) -> tuple[x509.Certificate, ...]:
    """The certificates of an answer that is wrong in status or media type; none where it holds none."""
    found = _read_body(answer.body)
    return () if isinstance(found, Misread) else found


def said(answer: Answer) -> str:
    """The server's own sentence in quotation marks, where it is plain text; else nothing."""
    kind = (answer.header("content-type") or "text/plain").partition(";")[0].strip().lower()
    text = quoted(answer.body[:2000].decode("utf-8", "replace")) if kind == "text/plain" else ""
    return f'"{text}"' if text else ""


def _misread_status(answer: Answer) -> Misread:
    place = answer.header("location")
    if place is not None and answer.status in range(300, 400):
        return Misread(
            f"answers {answer.status} with a redirect to {quoted(place)}, and aziot-certd follows none",
            "Write the URL into config.toml that the server answers at, or let it answer at this one.",
        )
    why, remedy = _STATUSES.get(answer.status, ("", ""))
    if answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and not remedy:
        remedy = "The server failed, or cannot issue at this time; its log says why. Nobody heeds Retry-After."
    if _FORWARDED.search(answer.body):
        remedy = f"This server forwards: look at the server that is named last. {remedy}"
    told = said(answer)
    return Misread(
        f"answers {_phrase(answer.status)} where aziot-certd takes 200 only{why}{f': {told}' if told else ''}",
        remedy or "Answer 200.",
    )


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _wrong_type(kind: str | None) -> str:
    if kind is None:
        return "answers without a Content-Type"
    shown = quoted(kind)
    essence = kind.partition(";")[0]
    if essence.strip() == MEDIA_TYPE:
        return f'answers with Content-Type "{shown}": the space before the semicolon is one too many for aziot-certd'
    if essence.strip().lower() == MEDIA_TYPE:
        return f'answers with Content-Type "{shown}": aziot-certd compares letter by letter, capitals included'
    return f'answers with Content-Type "{shown}", which is not {MEDIA_TYPE}'


def _read_body(body: bytes) -> tuple[x509.Certificate, ...] | Misread:
    if not body.strip(_WHITE):
        return Misread("answers with an empty body", _BODY)
    if body[0] == _SEQUENCE and any(byte >= _ASCII for byte in body[:8]):
        return Misread("answers with bare DER, without base64 around it", _BODY)
    if body.lstrip(_WHITE).startswith(_PEM) and not _PEM_PKCS7.match(body.lstrip(_WHITE)):
        return Misread("answers with PEM of another kind than PKCS #7", _BODY)
    try:
        found = _certificates(body)
    except binascii.Error:
        return Misread("answers with a body that is not base64", _BODY)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Misread("answers with base64 of something that is not a PKCS #7 with certificates", _BODY)
    return found or Misread("answers with a PKCS #7 that holds no certificate", _BODY)


def _certificates(body: bytes) -> tuple[x509.Certificate, ...]:
    """PEM first, then base64 with any white space in it; unsorted sets and BER are taken, as OpenSSL takes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _PEM_PKCS7.match(body.lstrip(_WHITE)):
            return tuple(pkcs7.load_pem_pkcs7_certificates(body))
        return tuple(
            pkcs7.load_der_pkcs7_certificates(binascii.a2b_base64(body.translate(None, _WHITE), strict_mode=True))
        )
