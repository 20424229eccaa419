"""The module: `nestor serve` as a process, in the environment that the runtime would give it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from standin.address import free_port
from standin.edge import Edge
from standin.errors import StandInError
from standin.twin import Document, merged

_EST_PORT, _METRICS_PORT = 8085, 9600
_STOP_SECONDS = 10
"""As the container engine: then it kills."""

_NESTOR = (sys.executable, "-m", "nestor")
_COMMAND_SECONDS = 60


class Module:
    """A process that can be stopped and started again; everything it keeps is in `place`.

    `host` is what the host's document says, over where to listen: at the address of the edge, which nobody else has.
    """

    def __init__(
        self, edge: Edge, place: Path, environment: Mapping[str, str], *, host: Mapping[str, Any] | None = None
    ) -> None:
        self._edge = edge
        self._given = dict(environment)
        self._port = free_port(edge.address, _EST_PORT)
        self._metrics_port = free_port(edge.address, _METRICS_PORT)
        self._document = merged(self._listening(), host or {})
        self._host = place / "host.json"
        self.data = place / "data"
        self.log = place / "nestor.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it serves EST."""
        return f"https://{self._edge.address}:{self._port}"

    @property
    def metrics(self) -> str:
        """Where it shows its metrics."""
        return f"http://{self._edge.address}:{self._metrics_port}/metrics"

    @property
    def ended(self) -> int | None:
        """The exit code of a process that ended by itself; None while it runs, or where nobody started it."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it."""
        self._host.write_text(json.dumps(self._document), "utf-8")
        environment = self._environment() | self._given | self._edge.environment()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (*_NESTOR, "serve", "--config", str(self._host), "--data", str(self.data)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C at the prompt is for the prompt
            )

    def stop(self) -> int | None:
        """Stop it as the engine does, and tell its exit code."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._process = None

    def nestor(self, *words: str, stdin: str = "", variables: Mapping[str, str] | None = None) -> str:
        """What a command of Nestor on this data directory says. Raises StandInError with its complaint."""
        done = subprocess.run(
            (*_NESTOR, *words),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
            env=self._environment() | dict(variables or {}),
        )
        if done.returncode:
            raise StandInError(done.stderr.strip().removeprefix("error: "))
        return done.stdout.strip()

    def last_lines(self, count: int) -> Sequence[str]:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace").splitlines()[-count:]

    def _environment(self) -> dict[str, str]:
        """That of the shell, without what it says to another Nestor."""
        shell = os.environ.items()  # noqa: TID251 -- handed on to the process
        return {name: value for name, value in shell if not name.startswith(("NESTOR_", "IOTEDGE_"))}

    def _listening(self) -> Document:
        """Where to listen: at the address of the edge, and nowhere else."""
        return {
            "listener": {"addresses": self._edge.address, "port": self._port},
            "operations": {"addresses": self._edge.address, "port": self._metrics_port},
        }
