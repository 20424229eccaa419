"""The servers that are measured: Nestor with the tutorial's settings, and `openssl s_server` with the same certificate.

CPU time is the kernel's account of a process, all threads, user and system; the servers run on one core, the client
elsewhere.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.backends.openssl import backend

_CORE = 0
_FILES = 65_536
_CPU_CLOCK = 2  # of clockid_t, which for another process is ~pid << 3 with the kind of clock (Linux)


class Measured:
    """A server process, on a core of its own unless told otherwise."""

    def __init__(self, port: int, *, pinned: bool = True) -> None:
        self.port = port
        self._pinned = pinned
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], log: Path) -> None:
        """Start it, and wait until its port answers."""
        pin = ["taskset", "-c", str(_CORE)] if self._pinned and shutil.which("taskset") and _cores() > 1 else []
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
        before = self.cpu()
        work()
        return self.cpu() - before

    def cpu(self) -> float:
        """Seconds of CPU that the process has spent, to the microsecond."""
        assert self._process is not None
        return time.clock_gettime(~self._process.pid << 3 | _CPU_CLOCK)

    def memory(self) -> int:
        """Bytes of memory that the process holds at this moment."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize()

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Nestor(Measured):
    """`nestor serve --tutorial`; `more` are further lines of its configuration."""

    def __init__(self, place: Path, more: str = "", *, pinned: bool = True) -> None:
        super().__init__(free_port(), pinned=pinned)
        self.place = place
        self.data = place / "data"
        self.anchor = self.data / "ca" / "certificates.pem"
        self._more = more

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True, exist_ok=True)
        # A few devices ask as often as a whole plant here, so the limit per device stands aside.
        config = self.place / "bench.toml"
        config.write_text(f"[access.limits]\nenrollmentBurst = 1000000\n{self._more}", "utf-8")
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


def keep_off_the_servers_core() -> None:
    """Leave the core of the servers to them, where there are several."""
    if _cores() > 1:
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {_CORE})


def allow_many_files() -> None:
    """Let this process, and those that it starts, hold as many connections as the system lets them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, max(_FILES, most)))
    except (ValueError, OSError):  # only root may raise the highest
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def versions() -> dict[str, str]:
    """Which libraries did the work: Nestor's TLS and the client's, and the reference's."""
    told = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True)
    return {
        "Nestor's TLS and the client's": backend.openssl_version_text(),
        "reference": told.stdout.strip(),
        "Python": sys.version.split()[0],
    }


def _cores() -> int:
    return os.cpu_count() or 1
