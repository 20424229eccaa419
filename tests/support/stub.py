"""A stand-in for somebody else's EST server: TLS and HTTP of the standard library, answers as the test writes them."""

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from support import pki
from support.device import BASE, CERTS_ONLY, HOST, Identity, wrapped

if TYPE_CHECKING:
    from email.message import Message


@dataclass(frozen=True)
class Heard:
    """One request as it came in; `session` numbers the TLS connections, `chain` the certificates that were shown."""

    method: str
    path: str
    headers: "Message[str, str]"
    body: bytes
    peer: bytes | None
    tls: str | None
    tls_unique: bytes | None
    session: int
    chain: int = 0

    @property
    def csr(self) -> x509.CertificateSigningRequest:
        return x509.load_der_x509_csr(base64.b64decode(self.body))


@dataclass(frozen=True)
class Reply:
    """One answer; a `Content-Length` is added, and the connection kept unless `close`; `pause` between single bytes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    pause: float = 0


Answerer = Reply | Callable[[Heard], Reply]


class Stub:
    """A server on loopback; `answers` maps the rest of a path behind the EST base to what is said there."""

    def __init__(
        self, place: Path, identity: Identity, context: Callable[[ssl.SSLContext], object] | None = None
    ) -> None:
        self.answers: dict[str, Answerer] = {}
        self.heard: list[Heard] = []
        self.faults: list[Exception] = []
        certificate, key = pki.write(place, identity)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        if context is not None:
            context(self._context)
        self._server = _server(self)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def secure(self, plain: socket.socket) -> ssl.SSLSocket:
        """Shake hands; a refused client gets to read the alert before the connection ends."""
        secured = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except OSError:
            with socket.socket(fileno=secured.detach()) as refused:
                refused.settimeout(5)
                refused.shutdown(socket.SHUT_WR)
                while refused.recv(65_536):
                    pass
            raise
        return secured

    def answer(self, heard: Heard) -> Reply:
        """Say what the test has written for that path."""
        self.heard.append(heard)
        written = self.answers.get(heard.path.removeprefix(f"{BASE}/"), Reply(404, b"Nothing here."))
        return written(heard) if callable(written) else written


def certs_only(*certificates: x509.Certificate, **changes: Any) -> Reply:
    """An answer of certificates, as the RFC has it unless something is changed."""
    der = pkcs7.serialize_certificates(list(certificates), Encoding.DER)
    usual: dict[str, Any] = {"body": wrapped(der), "headers": {"Content-Type": CERTS_ONLY}}
    return Reply(**{**usual, **changes})


def attributes(der: bytes) -> Reply:
    """An answer of CSR attributes."""
    return Reply(200, base64.b64encode(der), {"Content-Type": "application/csrattrs"})


def issuing(ca: pki.CA) -> Callable[[Heard], Reply]:
    """Certify whatever is asked for: subject, names and key of the request."""

    def answer(heard: Heard) -> Reply:
        return certs_only(certify(ca, heard.csr))

    return answer


def certify(ca: pki.CA, csr: x509.CertificateSigningRequest) -> x509.Certificate:
    """A certificate with the subject, alternative names and key of a request."""
    builder = x509.CertificateBuilder(
        ca.certificate.subject, csr.subject, csr.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(pki.yesterday()).not_valid_after(ca.certificate.not_valid_after_utc)
    for extension in csr.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(ca.key, hashes.SHA256())


def _server(stub: Stub) -> ThreadingHTTPServer:
    sessions = iter(range(1_000_000))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        request: ssl.SSLSocket

        def setup(self) -> None:
            super().setup()
            self.session = next(sessions)

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            unique = self.request.get_channel_binding("tls-unique")
            peer = self.request.getpeercert(binary_form=True)
            version = self.request.version()
            shown = len(self.request._sslobj.get_unverified_chain() or ())  # type: ignore[attr-defined]
            heard = Heard(self.command, self.path, self.headers, body, peer, version, unique, self.session, shown)
            reply = stub.answer(heard)
            begin = self.send_response_only if "Server" in reply.headers else self.send_response
            begin(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            if reply.close:
                self.send_header("Connection", "close")
            self.end_headers()
            with suppress(OSError):  # a client may have had enough
                for part in (
                    (reply.body[at : at + 1] for at in range(len(reply.body))) if reply.pause else (reply.body,)
                ):
                    self.wfile.write(part)
                    time.sleep(reply.pause)

        do_GET = do_POST = _answer  # noqa: N815 -- names of the standard library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            try:
                with stub.secure(request) as secured:
                    super().finish_request(secured, client_address)
            except (OSError, ValueError) as fault:
                stub.faults.append(fault)

    return Server((HOST, 0), Handler)
