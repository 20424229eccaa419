"""aziot-certd's exchange with an EST server, byte for byte as it goes over the wire, and its judgement of the answers.

For every certificate it opens two new connections and asks both at once; if either answer displeases it, it keeps none.
It knows 200 only, follows nothing, waits for nothing, and keeps the certificates in the order in which they came.
"""

import base64
import http.client
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from support.answers import Answer, answer_of, certs_only
from support.device import Identity, client_context, wrapped
from support.openssl import run

_WHITE = b"\t\n\v\f\r \x85\xa0"


class EstFailed(Exception):
    """An answer that certd does not take, in the words of its log."""


@dataclass(frozen=True)
class Certd:
    """One `[cert_issuance.est]` of a config.toml."""

    url: str
    trusted_certs: Path
    basic: tuple[str, str] | None = None
    identity: Identity | None = None

    def create_cert(self, csr: bytes) -> list[x509.Certificate]:
        """The content of the certificate file: what was issued, then what /cacerts showed. Raises EstFailed."""
        with ThreadPoolExecutor(2) as both:
            enrolled = both.submit(self._ask, "POST", "simpleenroll", self.body(csr))
            certificates = both.submit(self._ask, "GET", "cacerts", None)
            return enrolled.result() + certificates.result()

    def body(self, csr: bytes) -> bytes:
        """A request as it is sent."""
        return wrapped(csr)

    def read(self, body: bytes) -> list[x509.Certificate]:
        """The certificates of an answer: of PEM, else of base64 with any white space in it."""
        try:
            return pkcs7.load_pem_pkcs7_certificates(body)
        except ValueError:
            return certs_only(base64.b64decode(body.translate(None, _WHITE), validate=True))

    def _ask(self, method: str, operation: str, body: bytes | None) -> list[x509.Certificate]:
        place = urlsplit(self.url.removesuffix("/") + "/" + operation)
        head = self._head(method, place.path, place.netloc, body)
        answer = self._exchange((place.hostname or "", place.port or 443), method, head + (body or b""))
        return self.judge(answer.status, answer["content-type"], answer.body)

    def _exchange(self, address: tuple[str, int], method: str, request: bytes) -> Answer:
        with (
            socket.create_connection(address, timeout=30) as plain,
            client_context(self.trusted_certs, self.identity).wrap_socket(plain, server_hostname=address[0]) as session,
        ):
            session.sendall(request)
            response = http.client.HTTPResponse(session, method=method)
            response.begin()
            return answer_of(response)

    def _head(self, method: str, path: str, host: str, body: bytes | None) -> bytes:
        """The header lines in the order in which hyper writes them: names in lower case, no user-agent, no accept."""
        lines = [f"{method} {path} HTTP/1.1"]
        if self.basic is not None:
            lines.append("authorization: Basic " + base64.b64encode(":".join(self.basic).encode()).decode())
        if body is not None:
            lines += ["content-type: application/pkcs10", "content-transfer-encoding: base64"]
        lines.append(f"host: {host}")
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode()

    def judge(self, status: int, content_type: str | None, body: bytes) -> list[x509.Certificate]:
        """The certificates of an answer. Raises EstFailed."""
        if status != http.HTTPStatus.OK:
            raise EstFailed(f"EST endpoint did not return successful response: {status} {body!r}")
        if content_type is None:
            raise EstFailed("EST response does not contain content-type header")
        if content_type != "application/pkcs7-mime" and not content_type.startswith("application/pkcs7-mime;"):
            raise EstFailed(f"EST response has unexpected content-type header: {content_type}")
        try:
            return self.read(body)
        except (ValueError, subprocess.CalledProcessError) as error:
            raise EstFailed(str(error)) from error


class OldCertd(Certd):
    """certd up to 1.2.3: it sends PEM, and puts the lines of PEM around every answer, which must end its last line."""

    def body(self, csr: bytes) -> bytes:
        return x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM)

    def read(self, body: bytes) -> list[x509.Certificate]:
        armored = b"-----BEGIN PKCS7-----\n" + body + b"-----END PKCS7-----\n"
        return x509.load_pem_x509_certificates(run("pkcs7", "-print_certs", say=armored))
