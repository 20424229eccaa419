"""The unix socket by which a command line reaches a stand-in that runs: one line there, one answer back."""

import json
import os
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from standin.errors import StandInError

_PATIENCE = 120.0


def usual_place() -> Path:
    """Where the socket of this user is, if nobody says otherwise."""
    return Path(tempfile.gettempdir(), f"nestor-edge-{os.getuid()}", "control.sock")


class Control:
    """Answers lines on a socket while this is entered, each by the same function as the prompt; `then` follows each."""

    def __init__(self, place: Path, do: Callable[[str], str], then: Callable[[], None]) -> None:
        _make_room(place)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode()
                if not line:  # somebody looked whether we are there
                    return
                answer = _answer(do, line)
                with suppress(OSError):  # whoever asked did not wait
                    self.wfile.write(answer)
                    self.request.shutdown(socket.SHUT_WR)
                then()

        self._place = place
        self._server = socketserver.ThreadingUnixStreamServer(str(place), Handler)
        self._server.daemon_threads = True
        place.chmod(0o600)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="control", daemon=True).start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._place.unlink(missing_ok=True)


def ask(place: Path, line: str) -> str:
    """What the stand-in answers to a line. Raises StandInError with its complaint, or when none runs."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(str(place))
        except OSError as reason:
            raise StandInError("No stand-in is running; start one in another terminal: make edge") from reason
        connection.sendall(line.encode() + b"\n")
        with connection.makefile("rb") as answer:
            told = json.loads(answer.read())
    if "error" in told:
        raise StandInError(told["error"])
    return str(told["text"])


def _answer(do: Callable[[str], str], line: str) -> bytes:
    try:
        told = {"text": do(line)}
    except StandInError as reason:
        told = {"error": str(reason)}
    return json.dumps(told).encode()


def _make_room(place: Path) -> None:
    """A directory that is ours alone, without the socket of a stand-in that has ended."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.parent.stat().st_uid != os.getuid():
        raise StandInError(f"{place.parent} belongs to somebody else; choose another place: --control PATH")
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(place))
        except OSError:
            place.unlink(missing_ok=True)
            return
    raise StandInError("A stand-in is running already; talk to it, or start another with --control PATH.")
