"""`python -m benchmarks.backend PORT CERTIFICATE KEY`: what the proxies that are measured lead to.

`GET /BYTES` answers with so many of them, `PUT` with how many came; a connection carries any number of requests.
"""

import socket
import ssl
import sys
import threading
from typing import Protocol


class SupportsReadInto(Protocol):
    """Something that is read into a buffer."""

    def readinto(self, room: memoryview, /) -> int | None:
        """Read some bytes."""


_PIECE = bytes(256 * 1024)


def main() -> None:
    """Serve until killed."""
    port, certificate, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", int(port)), backlog=256) as listening:
        while True:
            accepted, _ = listening.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(context, accepted), daemon=True).start()


def _serve(context: ssl.SSLContext, accepted: socket.socket) -> None:
    try:
        with context.wrap_socket(accepted, server_side=True) as session, session.makefile("rb") as reader:
            while request := reader.readline():
                length = 0
                while (line := reader.readline()).strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                method, target, _ = request.split()
                if method == b"GET":
                    _give(session, int(target.rpartition(b"/")[2]))
                else:
                    _take(reader, length)
                    session.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    except OSError:
        pass


def _give(session: ssl.SSLSocket, left: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % left
    if left < len(_PIECE):
        session.sendall(head + _PIECE[:left])
        return
    session.sendall(head)
    while left:
        session.sendall(memoryview(_PIECE)[:left])
        left -= min(left, len(_PIECE))


def _take(reader: SupportsReadInto, left: int) -> None:
    room = bytearray(128 * 1024)
    while left:
        left -= reader.readinto(memoryview(room)[:left]) or left


if __name__ == "__main__":
    main()
