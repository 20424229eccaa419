"""A TLS 1.2 ClientHello written by hand: offers exactly the suites it is told, also those that no library knows."""

import os
import socket
import struct

HANDSHAKE_FAILURE = 40
_ALERT, _HANDSHAKE = 21, 22
_GROUPS = (0x0017, 0x001D)  # secp256r1, x25519
_SIGNATURES = (0x0403, 0x0804, 0x0401)  # ECDSA and RSA with SHA-256


def answer_to(port: int, suites: tuple[int, ...], compressions: bytes = b"\x00") -> tuple[str, int]:
    """What the server answers: ("alert", its number) or ("suite", the one it chose)."""
    with socket.create_connection(("localhost", port), timeout=10) as connection:
        connection.sendall(_record(hello(suites, compressions)))
        kind, content = _read_record(connection)
    if kind == _ALERT:
        return "alert", content[1]
    assert (kind, content[0]) == (_HANDSHAKE, 2)
    after_session = 4 + 2 + 32 + 1 + content[38]
    assert content[after_session + 2] == 0, "a compression was chosen"
    return "suite", int.from_bytes(content[after_session : after_session + 2])


def hello(suites: tuple[int, ...], compressions: bytes = b"\x00") -> bytes:
    """The handshake message, without the record around it."""
    offered = _vector(2, b"".join(struct.pack("!H", suite) for suite in suites))
    extensions = _vector(2, b"".join(_extensions()))
    body = b"\x03\x03" + os.urandom(32) + _vector(1, b"") + offered + _vector(1, compressions) + extensions
    return b"\x01" + _vector(3, body)


def _extensions() -> list[bytes]:
    host = _vector(2, b"\x00" + _vector(2, b"localhost"))
    groups = _vector(2, struct.pack("!2H", *_GROUPS))
    signatures = _vector(2, struct.pack("!3H", *_SIGNATURES))
    contents = {0: host, 10: groups, 11: b"\x01\x00", 13: signatures, 23: b""}
    return [struct.pack("!H", kind) + _vector(2, content) for kind, content in contents.items()]


def _vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width) + content


def _record(handshake: bytes) -> bytes:
    return bytes([_HANDSHAKE, 3, 1]) + _vector(2, handshake)


def _read_record(connection: socket.socket) -> tuple[int, bytes]:
    head = _read(connection, 5)
    return head[0], _read(connection, int.from_bytes(head[3:]))


def _read(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = connection.recv(size - len(content))
        assert more, "the connection ended before an answer"
        content += more
    return content
