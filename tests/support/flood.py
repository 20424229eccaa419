"""Clients whose session is in order and who then send nothing but messages of TLS itself, as fast as they can be made.

No library sends so many: the records are sealed here, with the keys of a handshake that pyOpenSSL has done.
"""

import hashlib
import hmac
import socket
import struct
from collections.abc import Iterator
from itertools import islice

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL

from support.hello import hello

_SUITE_12 = 0xC02B
_HANDSHAKE = 22
_APPLICATION_DATA = 23
_KEY_UPDATE = b"\x18\x00\x00\x01\x00"  # update_not_requested (RFC 8446, 4.6.3)


class Flooder:
    """A client after its handshake; `messages` are sealed for this session, and good in this order only."""

    def __init__(self, port: int, version: int) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
        context.set_cipher_list(b"ECDHE-ECDSA-AES128-GCM-SHA256")
        secrets: dict[bytes, bytes] = {}

        def note(_: SSL.Connection, line: bytes) -> None:
            name, _random, secret = line.split()
            secrets[name] = secret

        context.set_keylog_callback(note)
        self.socket = socket.create_connection(("localhost", port))
        self._session = SSL.Connection(context, self.socket)
        self._session.set_connect_state()
        self._session.do_handshake()
        if version == SSL.TLS1_3_VERSION:
            self._messages = _key_updates(bytes.fromhex(secrets[b"CLIENT_TRAFFIC_SECRET_0"].decode()))
        else:
            self._messages = _hellos(self._session)

    def messages(self, count: int) -> bytes:
        """So many messages, to be sent on the plain socket."""
        return b"".join(islice(self._messages, count))


def _key_updates(secret: bytes) -> Iterator[bytes]:
    """KeyUpdate after KeyUpdate, each the first record under its keys (RFC 8446, 7.2 and 7.3)."""
    while True:
        key, nonce = _expand(secret, b"key", 16), _expand(secret, b"iv", 12)
        inner = _KEY_UPDATE + bytes([_HANDSHAKE])
        head = struct.pack("!BHH", _APPLICATION_DATA, 0x0303, len(inner) + 16)
        yield head + AESGCM(key).encrypt(nonce, inner, head)
        secret = _expand(secret, b"traffic upd", 32)


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label without a context (RFC 8446, 7.1)."""
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\x00"
    return HKDFExpand(hashes.SHA256(), length, info).derive(secret)


def _hellos(session: SSL.Connection) -> Iterator[bytes]:
    """ClientHello after ClientHello, each a wish to renegotiate (RFC 5246, 6.2.3.3 and 7.4.1.1)."""
    master, server, client = session.master_key(), session.server_random(), session.client_random()
    assert master
    assert server
    assert client
    block = _expand_12(master, b"key expansion" + server + client, 40)
    key, salt = block[:16], block[32:36]  # the client's key, the server's, the client's salt
    message = hello((_SUITE_12,))
    number = 1  # Finished was the first
    while True:
        explicit = struct.pack("!Q", number)
        head = struct.pack("!QBHH", number, _HANDSHAKE, 0x0303, len(message))
        sealed = explicit + AESGCM(key).encrypt(salt + explicit, message, head)
        yield struct.pack("!BHH", _HANDSHAKE, 0x0303, len(sealed)) + sealed
        number += 1


def _expand_12(secret: bytes, seed: bytes, length: int) -> bytes:
    """P_SHA256 (RFC 5246, 5)."""
    output, state = b"", seed
    while len(output) < length:
        state = hmac.digest(secret, state, hashlib.sha256)
        output += hmac.digest(secret, state + seed, hashlib.sha256)
    return output[:length]
