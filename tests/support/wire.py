"""Raw bytes over TLS, for what an HTTP library would tidy up or hide."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from support.device import HOST, PKCS10, Device, basic_header, client_context

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def session(device: Device) -> Iterator[ssl.SSLSocket]:
    """A TLS connection with nothing said on it yet."""
    with (
        socket.create_connection((HOST, device.port), timeout=10) as plain,
        client_context(device.ca_file, device.identity, device.tls).wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        yield secured


def enrollment(
    device: Device, length: int | None, *more: str, operation: str = "simpleenroll", end: bool = True
) -> bytes:
    """The head of an enrollment whose body has this length, with more header lines; the connection may end with it."""
    lines = [
        f"POST {device.path(operation)} HTTP/1.1",
        f"Host: {HOST}",
        *(["Connection: close"] if end else []),
        f"Content-Type: {PKCS10}",
        *([] if length is None else [f"Content-Length: {length}"]),
        *([f"Authorization: {basic_header(*device.user)}"] if device.user else []),
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def hear(secured: ssl.SSLSocket) -> bytes:
    """Everything until the server closes."""
    heard = b""
    while more := secured.recv(65_536):
        heard += more
    return heard


def say(device: Device, content: bytes) -> bytes:
    """Say something, and hear everything until the server closes."""
    with session(device) as secured:
        secured.sendall(content)
        return hear(secured)
