"""A Nestor on a layer: a process in its namespace, and the commands that its operator types there."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from layers.ground import Ground, host
from layers.styles import PORT
from support.device import Device
from support.server import is_alive
from support.shell import clean_environment

NESTOR = (sys.executable, "-m", "nestor")
_START, _STOP = 60.0, 15.0


class Site:
    """One layer's Nestor. It is started by hand, and ends with whoever holds it."""

    def __init__(self, ground: Ground, layer: int, place: Path, document: Mapping[str, Any]) -> None:
        self.layer = layer
        self.place = place
        self.data = place / "data"
        self.data.mkdir(mode=0o700, parents=True)
        self._ground = ground
        self._config = place / "nestor.json"
        self._config.write_text(json.dumps(document, indent=2), "utf-8")
        self._log = place / "nestor.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"https://{host(self.layer)}:{PORT}"

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text("utf-8", errors="replace")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        serve = self._ground.inside(self.layer, *NESTOR, "serve", *self._where)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(serve, stdout=log, stderr=log, cwd=self.place, env=clean_environment())
        self.wait(lambda: is_alive(PORT), "did not start")

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wait(self, holds: Callable[[], bool], sentence: str, patience: float = _START) -> float:
        """Wait until something holds that is asked on this layer; how many seconds it took. Raises TimeoutError."""
        begun = time.monotonic()
        while not self._ground.on(self.layer, holds):
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > begun + patience:
                raise TimeoutError(f"layer {self.layer} {sentence}:\n{self.log}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def operate(self, *words: str) -> str:
        """Run a command of `nestor` on its data, as its operator does; what it printed."""
        return self.shell(*words, *self._where)

    def shell(self, *words: str, ends: Collection[int] = (0,)) -> str:
        """Run a command of `nestor` on this layer; what it printed. Raises RuntimeError with what it said instead."""
        command = self._ground.inside(self.layer, *NESTOR, *words)
        done = subprocess.run(
            command, cwd=self.place, env=clean_environment(), capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode not in ends:
            raise RuntimeError(f"layer {self.layer}: nestor {' '.join(words)}:\n{done.stderr}\n{self.log}")
        return done.stdout

    def shows_authorities(self, anchors: Path) -> bool:
        """Whether it tells, over TLS that these anchors verify, which CAs there are."""
        try:
            return self.device(anchors).get("cacerts").status == HTTPStatus.OK
        except OSError:
            return False

    def device(self, anchors: Path, **known: Any) -> Device:
        """A device of this layer."""
        return Device(PORT, anchors, **known)

    @property
    def _where(self) -> tuple[str, ...]:
        return ("--config", str(self._config), "--data", str(self.data))
