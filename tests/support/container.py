"""Nestor in a container, made as edgeAgent makes it: from the createOptions of the deployment template.

Some things differ from a plant: the container shares the network of the machine, so that a test needs no bridge and no
rules of a firewall, so its ports are free ones; and its volume has a name of its own.
"""

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from support.device import Device
from support.engine import Engine
from support.manifests import TEMPLATES, modules, options_text, read
from support.openssl import tool
from support.process import wait_for
from support.server import free_port, is_alive

_START = 60.0
_HOST_FILE = "/etc/nestor/nestor.json"


def template_options() -> dict[str, Any]:
    """The createOptions of the deployment template, as they reach the engine."""
    return dict(json.loads(options_text(modules(read(TEMPLATES[0]))["nestor"])))


class Container:
    """One container with its volume; the volume outlives it until `forget`."""

    def __init__(self, engine: Engine, image: str, place: Path, volume: str = "") -> None:
        self.engine = engine
        self.image = image
        self.name = f"nestor-test-{uuid4().hex[:8]}"
        self.volume = volume or self.name
        self.port = free_port()
        self._place = place

    def options(self, environment: Mapping[str, str] | None = None, **host: Any) -> dict[str, Any]:
        """What the create call is given; `Binds` come beside its own, whatever else of `HostConfig` in place of it."""
        options = template_options()
        host_file = self._place / f"{self.name}.json"
        host_file.write_text(json.dumps({"operations": {"port": 0}}), "utf-8")
        told = {"NESTOR_HOSTNAME": "localhost"} if environment is None else environment
        told = {**told, "NESTOR_CONFIG": _HOST_FILE}
        binds = [f"{self.volume}:/data", f"{host_file}:{_HOST_FILE}:ro", *host.pop("Binds", ())]
        shared = {"NetworkMode": "host", "Binds": binds, **host}
        return {
            **options,
            "Image": self.image,
            "Cmd": ["serve", "--port", str(self.port)],
            "Env": [f"{name}={value}" for name, value in told.items()],
            "HostConfig": {**options["HostConfig"], **shared},
        }

    def create(self, environment: Mapping[str, str] | None = None, **host: Any) -> None:
        """Create it and start nothing."""
        status, told = self.engine.create(self.name, self.options(environment, **host))
        assert status == 201, told

    def start(self) -> float:
        """Start it, and wait until it answers; the seconds that took."""
        began = time.monotonic()
        status, told = self.engine.ask("POST", f"/containers/{self.name}/start")
        assert status == 204, told
        wait_for(self.is_healthy, _START, every=0.05, unless=lambda: not self.is_running())
        return time.monotonic() - began

    def __enter__(self) -> Self:
        self.create()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()

    def stop(self) -> None:
        """Stop it as an engine does: SIGTERM, and after ten seconds SIGKILL."""
        status, told = self.engine.ask("POST", f"/containers/{self.name}/stop?t=10")
        assert status in {204, 304}, told

    def memory(self) -> int:
        """Bytes that it holds, as an engine counts them: without the pages of files, which can be dropped."""
        process = self.engine.inspect(self.name)["State"]["Pid"]
        fields = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()[1:]
        kilobytes = {name: int(amount.split()[0]) for name, amount in (line.split(":") for line in fields)}
        return kilobytes["Anonymous"] * 1024

    def forget(self) -> None:
        """Remove it and its volume."""
        self.engine.remove(self.name)
        self.engine.ask("DELETE", f"/volumes/{self.volume}?force=1")

    def is_running(self) -> bool:
        """Whether its process is there."""
        return bool(self.engine.inspect(self.name)["State"]["Running"])

    def is_healthy(self) -> bool:
        """Whether the server in it says that it lives."""
        return is_alive(self.port)

    def run(self, *words: str, user: str = "13625") -> str:
        """What a command inside says; raises where it fails."""
        command = (tool("podman"), "exec", "--user", user, self.name, *words)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def log(self) -> str:
        """Everything it has said so far."""
        command = (tool("podman"), "logs", self.name)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        return done.stdout

    def device(self, **known: Any) -> Device:
        """A device that knows this server."""
        anchor = self._place / f"{self.name}.pem"
        anchor.write_text(self.run("nestor", "ca", "export", "--root"), "utf-8")
        return Device(self.port, anchor, **known)
