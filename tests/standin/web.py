"""edgeHub's other door: HTTPS on port 443, MQTT over WebSocket (RFC 6455) and the twin. Little, and strict.

Who asks by HTTP shows a token of the module; beside it, as the API proxy does, the certificate of a device.
"""

import asyncio
import json
import time
from base64 import b64encode
from contextlib import suppress
from hashlib import sha1
from typing import cast
from urllib.parse import unquote

from cryptography import x509

from standin.identity import ModuleIdentity
from standin.twin import Document

PORT = 443
_SOCKET, _TWINS = "/$iothub/websocket", "/twins/"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE = 2, 8
_LARGE, _HUGE = 126, 127


class Request:
    """The head of a request."""

    def __init__(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.path = self.target.partition("?")[0]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def owner_of(request: Request, identity: ModuleIdentity) -> str | None:
    """Whose request it is: the module's, or that of the device whose certificate it vouches for; None for nobody's."""
    user = f"{identity.hub}/{identity.client}/?"
    expiry = identity.expiry(user, request.headers.get("authorization", ""))
    if expiry is None or expiry < time.time():
        return None
    told = request.headers.get("x-ms-edge-clientcert")
    if told is None:
        return identity.client
    names = x509.load_pem_x509_certificate(unquote(told).encode()).subject.get_attributes_for_oid(
        x509.NameOID.COMMON_NAME
    )
    return str(names[0].value)


def twin_answer(request: Request, identity: ModuleIdentity, twin: Document) -> bytes:
    """The twin, for its module and for devices that the module vouches for; 401 for everybody else."""
    owner = owner_of(request, identity)
    if owner is None or not request.path.startswith(_TWINS):
        return _answer(401 if owner is None else 404, b"")
    return _answer(200, json.dumps({"owner": owner, **twin}).encode())


def switches(request: Request) -> bytes | None:
    """The answer that begins a WebSocket; None where none is asked for."""
    wanted = request.headers.get("upgrade", "").lower() == "websocket" and request.path == _SOCKET
    if not wanted or "upgrade" not in request.headers.get("connection", "").lower():
        return None
    digest = sha1(f"{request.headers['sec-websocket-key']}{_MAGIC}".encode(), usedforsecurity=False).digest()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {b64encode(digest).decode()}", "Sec-WebSocket-Protocol: mqtt"]
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


class Framed:
    """What writes packets into a WebSocket, as far as the broker writes: a StreamWriter to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.transport = writer.transport

    def write(self, data: bytes) -> None:
        """Send a binary frame."""
        size = len(data)
        if size < _LARGE:
            head = bytes([0x80 | _BINARY, size])
        else:
            width, mark = (2, _LARGE) if size < 1 << 16 else (8, _HUGE)
            head = bytes([0x80 | _BINARY, mark]) + size.to_bytes(width, "big")
        self._writer.write(head + data)

    def close(self) -> None:
        """Say goodbye, and hang up."""
        with suppress(OSError):
            self._writer.write(bytes([0x80 | _CLOSE, 0]))
        self._writer.close()

    @property
    def as_writer(self) -> asyncio.StreamWriter:
        """The same, by the type that the broker knows."""
        return cast("asyncio.StreamWriter", self)


async def unframe(source: asyncio.StreamReader, target: asyncio.StreamReader) -> None:
    """Take frames apart until they end."""
    try:
        while True:
            kind, size = await source.readexactly(2)
            length = size & 0x7F
            if length >= _LARGE:
                length = int.from_bytes(await source.readexactly(2 if length == _LARGE else 8), "big")
            mask = await source.readexactly(4)  # 5.1: a client masks every frame
            data = await source.readexactly(length)
            if kind & 0x0F == _CLOSE:
                return
            if kind & 0x0F < _CLOSE:
                target.feed_data(bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)))
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        target.feed_eof()
