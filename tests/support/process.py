"""A server process for rough treatment: killed, signaled, watched, refused a start, or run by another program."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.server import Server

NESTOR = (sys.executable, "-m", "nestor")
_START = 30.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Mortal(Server):
    """A server of a place; `program` is what is started before `serve`, `extra` are more words after it."""

    def __init__(
        self,
        place: Path,
        document: Mapping[str, Any] | None = None,
        *,
        program: Sequence[str] = NESTOR,
        extra: Sequence[str] = (),
    ) -> None:
        super().__init__(place, document or {})
        self.program = tuple(program)
        self.extra = tuple(extra)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.data / "ledger.db"

    def words(self) -> tuple[str, ...]:
        """The command line."""
        return (*self.program, "serve", "--config", str(self.config), "--data", str(self.data), *self.extra)

    def environment(self) -> Mapping[str, str]:
        """What is in its environment beside what this process has."""
        return {}

    def launch(self) -> None:
        """Start, and wait for nothing."""
        # Tests lie below the search path of pytest only; a launcher of theirs has to find them too.
        search = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONPATH": search, **self.environment()}  # noqa: TID251 -- handed on
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.words(), stdout=log, stderr=subprocess.STDOUT, cwd=self.place, env=environment
            )

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.launch()
        try:
            wait_for(self._answers, _START, every=0.03, unless=lambda: self.process.poll() is not None)
        except TimeoutError:
            self.kill()
            raise RuntimeError(f"nestor serve did not start:\n{self.log()}") from None

    def refused_start(self) -> tuple[int, str]:
        """Start what will not run: its exit code, and what it said this time."""
        said = len(self.log()) if self._log.exists() else 0
        self.launch()
        code = self.wait(_START)
        return code, self.log()[said:]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut ends a process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait(self, seconds: float) -> int:
        """The exit code of a process that is ending; kills one that does not, and raises TimeoutExpired."""
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def memory(self) -> int:
        """Bytes of memory that it holds at this moment."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * _PAGE

    def descriptors(self) -> int:
        """How many files and connections it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


def wait_for(
    holds: Callable[[], bool], seconds: float, *, every: float = 0.05, unless: Callable[[], bool] = lambda: False
) -> float:
    """Wait until something holds, and tell how long it took. Raises TimeoutError, at once where `unless` holds."""
    start = time.monotonic()
    while not holds():
        if unless() or time.monotonic() - start > seconds:
            raise TimeoutError
        time.sleep(every)
    return time.monotonic() - start
