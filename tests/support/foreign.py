"""Somebody else's EST server, sound in everything that aziot-certd needs; a test breaks one thing of it.

Beside it, ports that are no EST servers at all: one that closes at once, one that says nothing, one without TLS.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from support import pki
from support.device import HOST, Identity, basic_header
from support.stub import Heard, Reply, Stub, certs_only

USER, PASSWORD = "line", "0815"
NAMES = ("localhost", "127.0.0.1")
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="est"', "Content-Type": "text/plain"}


class Foreign(Stub):
    """A server that lets in one user and the holders of its certificates, and certifies what they ask for.

    It issues from `below`, or from its root. `knows` says whom it lets in, `issue` makes the certificate and
    `enrolled` the answer.
    """

    def __init__(
        self,
        place: Path,
        root: pki.CA | None = None,
        *,
        below: pki.CA | None = None,
        shown: Identity | None = None,
        context: Callable[[ssl.SSLContext], object] | None = None,
    ) -> None:
        root = root or pki.authority("Foreign Root")
        self.ca = below or root
        self.anchor = root.write(place)
        self.knows: Callable[[Heard], bool] = self.is_known
        self.issue: Callable[[x509.CertificateSigningRequest], x509.Certificate] = self.certify
        self.enrolled: Callable[[x509.Certificate], Reply] = certs_only
        super().__init__(place, shown or self.ca.issue("est", alternative_names=NAMES, server=True), context)
        self.answers["cacerts"] = certs_only(*self.ca.chain, root.certificate)
        self.answers["simpleenroll"] = self._enroll

    @property
    def base(self) -> str:
        """The URL as a config.toml has it."""
        return f"{self.url}/.well-known/est"

    def certify(self, csr: x509.CertificateSigningRequest, **changes: Any) -> x509.Certificate:
        """A certificate as a device needs it, something of it changed."""
        wanted = {extension.oid: extension.value for extension in csr.extensions}
        constraints = wanted.get(x509.BasicConstraints.oid, x509.BasicConstraints(ca=False, path_length=None))
        usual = [constraints, *([] if constraints.ca else [CLIENT])]
        start = changes.get("start", pki.yesterday())
        ca = changes.get("ca", self.ca)
        builder = (
            x509.CertificateBuilder(
                ca.certificate.subject, changes.get("subject", csr.subject), changes.get("key", csr.public_key())
            )
            .serial_number(changes.get("serial") or x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + changes.get("life", timedelta(days=30)))
        )
        for extension in changes.get("extensions", usual):
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(ca.key, hashes.SHA256())

    def is_known(self, heard: Heard) -> bool:
        """Whether its user is asking, or somebody whom TLS believes."""
        return heard.headers.get("authorization") == basic_header(USER, PASSWORD) or heard.peer is not None

    def _enroll(self, heard: Heard) -> Reply:
        if not self.knows(heard):
            return Reply(401, b"Nobody known is asking.", _CHALLENGE)
        try:
            csr = heard.csr
        except ValueError:
            return Reply(400, b"That is no request.", {"Content-Type": "text/plain"})
        return self.enrolled(self.issue(csr))


def asking(*trusted: x509.Certificate, insist: bool = False) -> Callable[[ssl.SSLContext], None]:
    """TLS that asks for client certificates, and believes those below the given ones."""

    def change(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED if insist else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata="".join(one.public_bytes(Encoding.PEM).decode() for one in trusted))

    return change


@contextmanager
def closing() -> Iterator[int]:
    """A port that closes every connection at once."""
    with serving(lambda connection: connection.close()) as port:
        yield port


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    kept: list[socket.socket] = []
    with serving(kept.append) as port:
        yield port
    for connection in kept:
        connection.close()


@contextmanager
def without_tls() -> Iterator[int]:
    """A port that speaks plain HTTP."""
    with ThreadingHTTPServer((HOST, 0), _Plain) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class _Plain(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port where each connection is served in turn."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                serve(listener.accept()[0])

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
