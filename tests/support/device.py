"""A device as a test wants it: any TLS version, any certificate, any header, any body.

Requests go through the standard library's TLS. A binding of TLS 1.3 needs an exporter, which only pyOpenSSL has.
"""

import base64
import http.client
import socket
import ssl
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from support.answers import Answer, answer_of, read_answer
from support.shapes import Request

BASE = "/.well-known/est"
HOST = "localhost"
PKCS10 = "application/pkcs10"
CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only"
_EXPORTER = b"EXPORTER-Channel-Binding"


@dataclass(frozen=True)
class Identity:
    """A certificate to be presented, its key, and the chain to be sent beside it."""

    certificate: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """Key, leaf and chain in one file's content."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return bytes(key) + b"".join(one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.chain))


@dataclass(frozen=True)
class Device:
    """Somebody with an address book of one server and the credentials at hand; variants are made by `but`."""

    port: int
    ca_file: Path
    identity: Identity | None = None
    user: tuple[str, str] | None = None
    tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    label: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> Self:
        """The same device, something changed."""
        return replace(self, **changes)

    def path(self, operation: str) -> str:
        """The path of an operation under this device's label."""
        return "/".join(part for part in (BASE, self.label, operation) if part)

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that is kept until closed."""
        return http.client.HTTPSConnection(HOST, self.port, context=self._context(), timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = self.connect()
        try:
            return ask(connection, method, path, body, self._headers(headers))
        finally:
            connection.close()

    def get(self, operation: str, **headers: str) -> Answer:
        """GET an operation; underscores in header names stand for hyphens."""
        return self.ask("GET", self.path(operation), headers=_hyphened(headers))

    def post(self, operation: str, body: bytes, **headers: str) -> Answer:
        """POST a body as it is, by default as PKCS #10."""
        return self.ask("POST", self.path(operation), body, {"Content-Type": PKCS10, **_hyphened(headers)})

    def enroll(self, request: Request, operation: str = "simpleenroll") -> Answer:
        """Ask for a certificate as a careful client does."""
        return self.post(operation, wrapped(request.der), Content_Transfer_Encoding="base64")

    def reenroll(self, request: Request) -> Answer:
        """Ask for a renewal."""
        return self.enroll(request, "simplereenroll")

    def enrolled(self, request: Request, chain: Sequence[x509.Certificate] = ()) -> Identity:
        """Ask for a certificate and keep it with its key."""
        return Identity(self.enroll(request).certificate, request.key, tuple(chain))

    def enroll_linked(self, make: Callable[[str], Request], kind: str) -> Answer:
        """Enroll with a request made for this very TLS session: `kind` is tls-unique or tls-exporter."""
        if kind == "tls-exporter":
            return self._enroll_exported(make)
        connection = self.connect()
        try:
            connection.connect()
            body = wrapped(make(binding_of(connection, kind)).der)
            headers = self._headers({"Content-Type": PKCS10})
            return ask(connection, "POST", self.path("simpleenroll"), body, headers)
        finally:
            connection.close()

    def _enroll_exported(self, make: Callable[[str], Request]) -> Answer:
        with socket.create_connection((HOST, self.port)) as plain:
            session = SSL.Connection(self._pyopenssl_context(), plain)
            session.set_tlsext_host_name(HOST.encode())
            session.set_connect_state()
            session.do_handshake()
            binding = session.export_keying_material(_EXPORTER, 32, b"")
            body = wrapped(make(base64.b64encode(binding).decode()).der)
            headers = self._headers({"Content-Type": PKCS10, "Host": HOST, "Content-Length": str(len(body))})
            lines = [f"POST {self.path('simpleenroll')} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
            session.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
            return read_answer(_read_all(session))

    def _headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        basic = {"Authorization": basic_header(*self.user)} if self.user else {}
        return {**basic, **self.headers, **(more or {})}

    def _context(self) -> ssl.SSLContext:
        return client_context(self.ca_file, self.identity, self.tls)

    def _pyopenssl_context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.load_verify_locations(str(self.ca_file))
        context.set_verify(SSL.VERIFY_PEER)
        if self.identity is not None:
            context.use_certificate(self.identity.certificate)
            context.use_privatekey(self.identity.key)
            for link in self.identity.chain:
                context.add_extra_chain_cert(link)
        return context


def client_context(ca_file: Path, identity: Identity | None, tls: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """TLS as a client verifies it: this anchor alone, the host name checked; one version where told so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca_file)
    if tls is not None:
        context.minimum_version = context.maximum_version = tls
    if identity is not None:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(identity.pem)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    """One request on a connection that stays open."""
    connection.request(method, path, body, dict(headers))
    return answer_of(connection.getresponse())


def binding_of(connection: http.client.HTTPSConnection, kind: str) -> str:
    """The base64 of the channel binding of a connection; on TLS 1.3 the library answers with a Finished message."""
    assert isinstance(connection.sock, ssl.SSLSocket)
    binding = connection.sock.get_channel_binding(kind)
    assert binding is not None
    return base64.b64encode(binding).decode()


def basic_header(user: str, password: str) -> str:
    """The value of Authorization (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def wrapped(der: bytes, columns: int = 64, end: bytes = b"\n") -> bytes:
    """Base64 in lines."""
    text = base64.b64encode(der)
    return b"".join(text[at : at + columns] + end for at in range(0, len(text), columns))


def _hyphened(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _read_all(session: SSL.Connection) -> bytes:
    heard = bytearray()
    while True:
        try:
            heard += session.recv(65536)
        except (SSL.ZeroReturnError, SSL.SysCallError):
            return bytes(heard)
