"""The servers that are measured: Nestor with the tutorial's settings, and `openssl s_server` with the same certificate.

CPU time is the kernel's account of a process, all threads, user and system; both run on one core, the client elsewhere.
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_CORE = "0"
_TICK = os.sysconf("SC_CLK_TCK")


class Measured:
    """A server process on its own core."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], log: Path) -> None:
        """Start it, and wait until its port answers."""
        pin = ["taskset", "-c", _CORE] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []
        with log.open("wb") as out:
            self._process = subprocess.Popen([*pin, *command], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("localhost", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    sys.exit(f"error: {command[0]} did not start:\n{log.read_text('utf-8')}")
                time.sleep(0.05)
            else:
                return

    def cpu_of(self, work: Callable[[], None]) -> float:
        """Seconds of CPU that the process spends while something is done to it."""
        before = self._cpu()
        work()
        return self._cpu() - before

    def _cpu(self) -> float:
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)


class Nestor(Measured):
    """`nestor serve --tutorial`."""

    def __init__(self, place: Path) -> None:
        super().__init__(free_port())
        self.place = place
        self.data = place / "data"
        self.anchor = self.data / "ca" / "certificates.pem"

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True)
        # One device asks as often as a whole plant here, so the limit per device stands aside.
        config = self.place / "bench.toml"
        config.write_text("[access.limits]\nenrollmentBurst = 1000000\n", "utf-8")
        serve = ["serve", "--tutorial", "--data", str(self.data), "--port", str(self.port), "--config", str(config)]
        self.start([sys.executable, "-m", "nestor", *serve], self.place / "log")
        return self


class Reference(Measured):
    """`openssl s_server` with Nestor's certificate, key and CA; `verify` demands a client certificate."""

    def __init__(self, nestor: Nestor, *, verify: bool) -> None:
        super().__init__(free_port())
        self._nestor = nestor
        self._verify = verify

    def __enter__(self) -> Self:
        data = self._nestor.data
        command = ["openssl", "s_server", "-accept", str(self.port), "-quiet", "-num_tickets", "0", "-no_cache"]
        command += ["-cert", str(data / "server-certificate.pem"), "-key", str(data / "server-key.pem")]
        command += ["-CAfile", str(self._nestor.anchor), *(["-Verify", "2"] if self._verify else [])]
        self.start(command, self._nestor.place / f"reference-{self._verify}")
        return self


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def versions() -> dict[str, str]:
    """Which libraries did the work: Nestor's TLS, the reference's, and the client's."""
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415 -- only for this

    told = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True)
    return {
        "Nestor's TLS": backend.openssl_version_text(),
        "reference": told.stdout.strip(),
        "client": ssl.OPENSSL_VERSION,
    }
