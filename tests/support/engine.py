"""A container engine as edgeAgent knows it: Docker's API on a unix socket. Podman answers it.

`NESTOR_TESTS_IMAGE` names the image under test in the engine's store; `.ci/run` builds it and sets the name.
"""

import http.client
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.openssl import tool
from support.process import wait_for

_START = 30.0


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, place: Path) -> None:
        super().__init__("engine", timeout=60)
        self._place = place

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._place))


class Engine:
    """An engine that listens on a socket."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """One call: its status, and its answer, read where it is JSON."""
        connection = _Connection(self._place)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text, kind = answer.read(), answer.headers.get_content_type()
        finally:
            connection.close()
        return answer.status, json.loads(text) if kind == "application/json" and text else text.decode()

    def create(self, name: str, options: Mapping[str, Any]) -> tuple[int, Any]:
        """The create call, with createOptions as they are."""
        return self.ask("POST", f"/containers/create?name={name}", options)

    def inspect(self, name: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        status, told = self.ask("GET", f"/containers/{name}/json")
        assert status == 200, told
        return dict(told)

    def remove(self, name: str) -> None:
        """Remove a container, running or not, if it is there; its volumes stay."""
        self.ask("DELETE", f"/containers/{name}?force=1")

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return self.ask("GET", "/_ping")[0] == 200
        except OSError:
            return False


def image_under_test() -> str:
    """The name of the image; skips the test that asks where there is none."""
    name = os.environ.get("NESTOR_TESTS_IMAGE", "")  # noqa: TID251 -- the switch of .ci/run
    if not name:
        pytest.skip("no image to test: NESTOR_TESTS_IMAGE is not set (.ci/image builds one)")
    return name


@contextmanager
def engine() -> Iterator[Engine]:
    """Podman's API for as long as it is needed."""
    with tempfile.TemporaryDirectory() as place:
        socket_file = Path(place) / "engine.sock"
        service = subprocess.Popen(
            (tool("podman"), "system", "service", "--time", "0", f"unix://{socket_file}"), stderr=subprocess.DEVNULL
        )
        try:
            one = Engine(socket_file)
            wait_for(one.answers, _START, unless=lambda: service.poll() is not None)
            yield one
        finally:
            service.terminate()
            service.wait(_START)
