"""What a server answered, read strictly: status, headers, and the certificates of a body."""

import base64
import http.client
import io
import re
from dataclasses import dataclass
from typing import Any, cast

from cryptography import x509

from support.der import elements, split

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        """A header, whatever its case; None where it is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def der(self) -> bytes:
        """What the base64 of the body holds; only line breaks are forgiven."""
        return base64.b64decode(self.body.replace(b"\n", b""), validate=True)

    @property
    def certificates(self) -> list[x509.Certificate]:
        """The certificates of a certs-only SignedData, in the order on the wire."""
        assert self.status == http.HTTPStatus.OK, self
        return certs_only(self.der)

    @property
    def certificate(self) -> x509.Certificate:
        """The one certificate that an enrollment answers with."""
        (certificate,) = self.certificates
        return certificate


def answer_of(response: http.client.HTTPResponse) -> Answer:
    """An answer that an HTTP library has begun to read."""
    return Answer(response.status, tuple(response.getheaders()), response.read())


def read_answer(content: bytes) -> Answer:
    """The first answer in what a connection gave until its end."""
    response = http.client.HTTPResponse(cast("Any", _Heard(content)))
    response.begin()
    return answer_of(response)


def certs_only(der: bytes) -> list[x509.Certificate]:
    """The certificates of a SignedData that holds nothing else (RFC 7030, 4.1.3), in the order on the wire."""
    ((_, content_info),) = elements(der)
    (oid, outer) = elements(content_info)
    assert oid == (0x06, _SIGNED_DATA)
    ((_, signed_data),) = elements(outer[1])
    version, algorithms, content, certificates, *rest = elements(signed_data)
    assert (version, algorithms) == ((0x02, b"\x01"), (0x31, b""))
    assert elements(content[1]) == [(0x06, _DATA)]
    assert certificates[0] == 0xA0
    assert rest[-1] == (0x31, b"")
    return [x509.load_der_x509_certificate(one) for one in split(certificates[1])]


def lines_of(body: bytes) -> list[int]:
    """How long each line of a body is, its line break left out."""
    assert b"\r" not in body
    return [len(line) for line in re.findall(rb"[^\n]+", body)]


class _Heard:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)
