"""Media types and transfer encoding: what bodies look like, in both directions."""

import base64
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.answers import lines_of
from support.device import BASE, CERTS_ONLY, PKCS10, Device, basic_header, wrapped
from support.openssl import run
from support.proving import PASSWORD
from support.shapes import est_identity
from support.wire import enrollment, say

_FORMS = {
    "one column": (1, b"\n"),
    "64 columns": (64, b"\n"),
    "76 columns, CRLF": (76, b"\r\n"),
    "spaces": (40, b"\n   "),
    "tabs": (40, b"\t"),
    "one line": (100_000, b""),
}


def _one_line(der: bytes) -> bytes:
    return base64.b64encode(der)


@pytest.mark.conformance("ENC-1")
def test_every_body_that_carries_asn1_is_base64_of_der(line: Device) -> None:
    for answer in (line.get("cacerts"), line.get("csrattrs"), line.enroll(est_identity("der"))):
        assert answer.status == 200
        assert answer.der[0] == 0x30


@pytest.mark.conformance("ENC-2")
@pytest.mark.parametrize("value", ["base64", "binary", "quoted-printable", "8bit", ""])
def test_content_transfer_encoding_changes_nothing(line: Device, value: str) -> None:
    body = wrapped(est_identity("encoded").der)
    assert line.post("simpleenroll", body, Content_Transfer_Encoding=value).status == 200


@pytest.mark.conformance("ENC-3")
@pytest.mark.parametrize(("columns", "end"), _FORMS.values(), ids=_FORMS.keys())
def test_white_space_in_base64_does_not_matter(line: Device, columns: int, end: bytes) -> None:
    assert line.post("simpleenroll", b"  " + wrapped(est_identity("spaced").der, columns, end)).status == 200


@pytest.mark.conformance("ENC-4")
def test_a_request_in_lines_is_answered_in_lines(line: Device) -> None:
    body = line.enroll(est_identity("in-lines")).body
    lengths = lines_of(body)
    assert set(lengths[:-1]) == {64}
    assert lengths[-1] <= 64
    assert body.endswith(b"\n")
    assert run("base64", "-d", say=body)[0] == 0x30


@pytest.mark.conformance("ENC-4")
def test_a_request_on_one_line_is_answered_on_one_line(line: Device) -> None:
    body = line.post("simpleenroll", _one_line(est_identity("one-line").der)).body
    assert lines_of(body) == [len(body) - 1]
    assert base64.b64decode(body)[0] == 0x30


@pytest.mark.conformance("ENC-4")
def test_a_get_without_user_agent_is_answered_on_one_line_any_other_in_lines(stranger: Device) -> None:
    assert len(lines_of(stranger.get("cacerts").body)) == 1
    assert set(lines_of(stranger.get("cacerts", User_Agent="libest").body)[:-1]) == {64}


@pytest.mark.conformance("ENC-5")
def test_base64_is_called_so(line: Device) -> None:
    for answer in (line.get("cacerts"), line.get("csrattrs"), line.enroll(est_identity("called"))):
        assert answer["Content-Transfer-Encoding"] == "base64"


@pytest.mark.conformance("ENC-6")
def test_cacerts_is_pkcs7(stranger: Device) -> None:
    assert stranger.get("cacerts")["Content-Type"] in {"application/pkcs7-mime", CERTS_ONLY}


@pytest.mark.conformance("ENC-7")
def test_a_certificate_has_the_exact_type(line: Device) -> None:
    device = line.but(identity=line.enrolled(est_identity("exact")), user=None)
    for operation in ("simpleenroll", "simplereenroll"):
        assert device.enroll(est_identity("exact"), operation)["Content-Type"] == CERTS_ONLY


@pytest.mark.conformance("ENC-8")
@pytest.mark.parametrize("kind", ["Application/PKCS10; charset=utf-8", "APPLICATION/PKCS10", "application/pkcs10;x=y"])
def test_the_type_of_a_request_ignores_case_and_parameters(line: Device, kind: str) -> None:
    assert line.post("simpleenroll", wrapped(est_identity("kind").der), Content_Type=kind).status == 200


@pytest.mark.conformance("ENC-9")
def test_csrattrs_has_the_exact_type(stranger: Device) -> None:
    assert stranger.get("csrattrs")["Content-Type"] == "application/csrattrs"


@pytest.mark.conformance("ENC-10")
def test_serverkeygen_is_multipart_with_a_boundary(line: Device) -> None:
    answer = line.but(label="keys").post("serverkeygen", wrapped(est_identity("multipart").der))
    kind, _, boundary = (answer["Content-Type"] or "").partition("; boundary=")
    assert (answer.status, kind) == (200, "multipart/mixed")
    assert answer.body.count(b"--" + boundary.strip('"').encode()) == 3


@pytest.mark.conformance("ENC-12")
@pytest.mark.parametrize("armor", ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])
def test_pem_is_taken_unless_a_label_is_strict(line: Device, armor: str) -> None:
    pem = x509.load_der_x509_csr(est_identity("armored").der).public_bytes(Encoding.PEM)
    pem = pem.replace(b"CERTIFICATE REQUEST", armor.encode())
    assert line.post("simpleenroll", pem).status == 200
    assert line.but(label="strict").post("simpleenroll", pem).status == 400


@pytest.mark.conformance("ENC-12")
def test_raw_der_is_taken_unless_a_label_is_strict(line: Device) -> None:
    der = est_identity("raw").der
    assert line.post("simpleenroll", der).status == 200
    assert line.but(label="strict").post("simpleenroll", der).status == 400
    assert line.but(label="strict").post("simpleenroll", wrapped(der)).status == 200


@pytest.mark.conformance("ENC-13")
@pytest.mark.parametrize("label", [None, "strict"])
def test_what_is_nearly_base64_is_refused(line: Device, label: str | None) -> None:
    device = line.but(label=label)
    der = est_identity("nearly").der
    for_urls = base64.urlsafe_b64encode(b"\xfb\xff\xfe" + der)
    after_padding = _one_line(der + b"\x00" * (1 - len(der) % 3)).rstrip(b"=") + b"====A"
    twice = wrapped(der) + wrapped(der)
    assert [device.post("simpleenroll", body).status for body in (for_urls, after_padding, twice)] == [400, 400, 400]


@pytest.mark.conformance("ENC-14")
def test_answers_have_a_length_and_canonical_names(line: Device) -> None:
    body = wrapped(est_identity("named").der)
    get = f"GET {BASE}/cacerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    for request in (enrollment(line, len(body)) + body, get):
        headers, _, content = say(line, request).partition(b"\r\n\r\n")
        assert headers.startswith(b"HTTP/1.1 200 ")
        assert f"\r\nContent-Length: {len(content)}".encode() in headers
        assert b"\r\nContent-Type: " in headers
        assert b"transfer-encoding: chunked" not in headers.lower()


@pytest.mark.conformance("ENC-15")
def test_a_chunked_request_is_read(line: Device) -> None:
    def chunks() -> Iterator[bytes]:
        body = wrapped(est_identity("chunked").der)
        yield from (body[at : at + 100] for at in range(0, len(body), 100))

    connection = line.connect()
    headers = {"Content-Type": PKCS10, "Authorization": basic_header("line", PASSWORD)}
    connection.request("POST", line.path("simpleenroll"), chunks(), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
