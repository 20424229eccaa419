"""A real `nestor serve` for a test: a process of its own, on a free loopback port, with settings and a data directory.

What a test wants of it, it asks as an operator would: files, the command line, the log.
"""

import json
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from nestor.access.users import User, add_user
from support.asking import cheap_hash
from support.device import Device, Identity
from support.documents import check_schema_takes

_NESTOR = (sys.executable, "-m", "nestor")
_START = 30.0
_STOP = 15.0


class Server:
    """One server; `document` holds its settings without the listener's address, which is found here."""

    def __init__(self, place: Path, document: Mapping[str, Any]) -> None:
        self.place = place
        self.data = place / "data"
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config = place / "nestor.json"
        self.port = free_port()
        listener = {"port": self.port, "hostnames": "localhost, 127.0.0.1", **document.get("listener", {})}
        nowhere = {"operations": {"addresses": ""}}  # many run at a time, and in a container all would want one port
        self.config.write_text(json.dumps({**nowhere, **document, "listener": listener}), "utf-8")
        self._log = place / "nestor.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base of the EST paths, as a device is configured with it."""
        return f"https://localhost:{self.port}/.well-known/est"

    @property
    def ca_file(self) -> Path:
        """The trust anchor of devices: the certificate of the CA's root."""
        place = self.place / "anchor.pem"
        if not place.exists():
            place.write_text(self.command("ca", "export", "--root").stdout, "utf-8")
        return place

    def start(self) -> None:
        """Start, and wait until it answers."""
        serve = (*_NESTOR, "serve", "--config", str(self.config), "--data", str(self.data))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(serve, stdout=log, stderr=subprocess.STDOUT, cwd=self.place)
        deadline = time.monotonic() + _START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"nestor serve did not start:\n{self.log()}")
            time.sleep(0.05)
        check_schema_takes(json.loads(self.config.read_text("utf-8")))

    def stop(self) -> None:
        """Stop as a service manager does; kill what does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process = None

    def log(self) -> str:
        """Everything it has said so far."""
        return self._log.read_text("utf-8", errors="replace")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `nestor` on this server's data; raises where it fails."""
        where = ("--data", str(self.data), "--config", str(self.config))
        return subprocess.run((*_NESTOR, *words, *where), capture_output=True, text=True, check=True, cwd=self.place)

    def est(self, operation: str, *more: str) -> str:
        """What the EST client of `nestor` says after an operation on this server; raises where it fails."""
        where = (self.url, "--cacert", str(self.ca_file))
        command = (*_NESTOR, "est", operation, *where, *more)
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=self.place).stdout

    def add_user(self, name: str, password: str, names: str = "", **rules: Any) -> tuple[str, str]:
        """Add a user whose hash costs next to nothing; the answer is what a device sends."""
        user = User(name, cheap_hash(password), tuple(names.split()))
        add_user(self.data / "users.json", replace(user, **rules))
        return name, password

    def revoke(self, identity: Identity) -> None:
        """Revoke a certificate."""
        self.command("cert", "revoke", f"{identity.certificate.serial_number:x}")

    def device(self, **known: Any) -> Device:
        """A device that knows this server."""
        return Device(self.port, self.ca_file, **known)

    def _answers(self) -> bool:
        return is_alive(self.port)


def is_alive(port: int, host: str = "localhost") -> bool:
    """Whether the server on a port of this machine says that it lives."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=5) as plain,
            context.wrap_socket(plain) as session,
        ):
            session.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return session.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives to clients meanwhile."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
