"""What `nestor health` does, by the standard library alone: a container asks every half minute, and on little CPU."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from nestor.edge.identity import storage_of
from nestor.web.probes import HEALTHZ, READYZ, WORD

USUAL = "http://127.0.0.1:9600"
HEALTHY, UNHEALTHY = 0, 1

_SECONDS = 5.0
_MOST = 64 * 1024


def main(*, ready: bool, url: str | None = None, data: Path | None = None) -> int:
    """Ask, say what was heard in a line, and answer with the exit code that container engines want."""
    base = url or word_of(data or _data())
    try:
        status, body = ask(f"{base.rstrip('/')}{READYZ if ready else HEALTHZ}")
    except (OSError, ValueError) as error:
        return _say(f"Nestor does not answer at {base}: {error}.", UNHEALTHY)
    if status == 200:  # noqa: PLR2004 -- HTTP
        return _say("It issues." if ready else "It is healthy.", HEALTHY)
    return _say(f"{'It does not issue' if ready else 'It is not healthy'}: {_problems(body)}", UNHEALTHY)


def word_of(data: Path) -> str:
    """Where the server of a data directory is asked: as it left word there, or at the usual port."""
    try:
        return (data / WORD).read_text("ascii").strip() or USUAL
    except (OSError, UnicodeDecodeError):
        return USUAL


def ask(url: str) -> tuple[int, bytes]:
    """Status and body of a GET. Raises OSError or ValueError. Nothing secret is sent: no certificate is checked."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    place = (parts.hostname or "", parts.port or (443 if secure else 80))
    plain = socket.create_connection(place, _SECONDS)
    with _secured(plain) if secure else plain as session:
        session.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = bytearray()
        while len(answer) < _MOST and (chunk := session.recv(_MOST)):
            answer += chunk
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    protocol, _, rest = head.partition(b" ")
    if not protocol.startswith(b"HTTP/1."):
        msg = "that is no HTTP"
        raise ValueError(msg)
    return int(rest[:3]), body


def _secured(plain: socket.socket) -> socket.socket:
    import ssl  # noqa: PLC0415 -- only where the server has no port for operations

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)


def _problems(body: bytes) -> str:
    """The sentences of an answer, or the names of what is wrong."""
    try:
        told = json.loads(body)["problems"]
    except (ValueError, KeyError, TypeError):
        return "it does not say why."
    if isinstance(told, Mapping):
        return " ".join(f"{name}: {sentence}" for name, sentence in told.items())
    return f"{', '.join(map(str, told))}."


def _data() -> Path:
    given = os.environ.get("NESTOR_DATA")  # noqa: TID251 -- typer reads it for every other command
    return Path(given) if given else storage_of() or Path("nestor-data")


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stdout if code == HEALTHY else sys.stderr)
    return code
