"""TLS as a client speaks it whose clock shows another time: what the server shows is judged by that time.

The standard library's TLS can only live now; pyOpenSSL verifies as of any moment.
"""

import http.client
import io
import socket
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from OpenSSL import SSL

from support.answers import Answer, answer_of
from support.device import Identity

_PATIENCE = 30


class NoSession(Exception):
    """The handshake failed, in the words of the alert or of the verification."""


@dataclass(frozen=True)
class Place:
    """A server, the anchor it is judged by, and the time that the client's clock shows."""

    host: str
    port: int
    ca_file: Path
    now: datetime
    identity: Identity | None = None


def exchange(place: Place, method: str, request: bytes) -> tuple[Answer, x509.Certificate]:
    """Say something on a connection of its own: what is answered, and the certificate shown. Raises NoSession."""
    with socket.create_connection((place.host, place.port), timeout=_PATIENCE) as plain:
        plain.settimeout(None)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE, 0))
        try:
            session, certificate = _session(plain, place)
            session.sendall(request)
            response = http.client.HTTPResponse(cast("Any", _Heard(session)), method=method)
            response.begin()
            return answer_of(response), certificate
        except SSL.Error as error:
            raise NoSession(_reason(error)) from error


def ask(place: Place, method: str, path: str) -> tuple[Answer, x509.Certificate]:
    """The same for a request without a body."""
    return exchange(place, method, f"{method} {path} HTTP/1.1\r\nHost: {place.host}\r\n\r\n".encode())


def shown(place: Place) -> x509.Certificate:
    """The certificate that the server shows, be it good or not."""
    with socket.create_connection((place.host, place.port), timeout=_PATIENCE) as plain:
        plain.settimeout(None)
        session = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), plain)
        return _shake_hands(session, place)


def _session(plain: socket.socket, place: Place) -> tuple[SSL.Connection, x509.Certificate]:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(str(place.ca_file))
    store = context.get_cert_store()
    assert store
    store.set_time(place.now)
    context.set_verify(SSL.VERIFY_PEER)
    if place.identity is not None:
        context.use_certificate(place.identity.certificate)
        context.use_privatekey(place.identity.key)
        for link in place.identity.chain:
            context.add_extra_chain_cert(link)
    session = SSL.Connection(context, plain)
    certificate = _shake_hands(session, place)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if place.host not in names.get_values_for_type(x509.DNSName):
        raise NoSession(f"hostname mismatch: {place.host}")
    return session, certificate


def _shake_hands(session: SSL.Connection, place: Place) -> x509.Certificate:
    session.set_tlsext_host_name(place.host.encode())
    session.set_connect_state()
    session.do_handshake()
    certificate = session.get_peer_certificate(as_cryptography=True)
    assert certificate
    return certificate


def _reason(error: SSL.Error) -> str:
    match error.args:
        case ([(*_, str(reason)), *_],):
            return reason
        case _:
            return str(error) or type(error).__name__


class _Heard(io.RawIOBase):
    """What a session gives, as the HTTP library reads it."""

    def __init__(self, session: SSL.Connection) -> None:
        self._session = session

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._session.recv_into(buffer))
        except SSL.ZeroReturnError:
            return 0
