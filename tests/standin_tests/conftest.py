"""A stand-in of its own for each test, and clients of it: the real SDK, and plain HTTP on the workload socket."""

import gc
import http.client
import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubModuleClient

from standin.edge import Edge

THE_SDK = [
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLSv1_2:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""For tests that have the SDK in their own process: it asks for an old TLS, and leaves sockets to the collector."""

MakeClient = Callable[..., IoTHubModuleClient]


@pytest.fixture
def edge() -> Iterator[Edge]:
    with Edge({"log": {"level": "info"}}) as running:
        yield running


@pytest.fixture
def make_client(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeClient]:
    with ExitStack() as stack:

        def make(**wishes: Any) -> IoTHubModuleClient:
            for name, value in edge.environment().items():
                monkeypatch.setenv(name, value)
            client = IoTHubModuleClient.create_from_edge_environment(connection_retry_interval=1, **wishes)
            stack.callback(_shut_down, client)
            return client

        yield make
    gc.collect()  # here, where what the SDK left is forgiven


@pytest.fixture
def client(make_client: MakeClient) -> IoTHubModuleClient:
    """A module that is connected."""
    client = make_client()
    client.connect()
    return client


def _shut_down(client: IoTHubModuleClient) -> None:
    with suppress(Exception):
        client.shutdown()


class Caller:
    """Asks the workload API as a module does, one connection for each call."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def ask(self, method: str, path: str, body: Any = None, *, version: str = "2022-08-03") -> tuple[int, Any]:
        """The status of an answer, and its JSON."""
        connection = self.send(method, path, body, version=version)
        try:
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def send(self, method: str, path: str, body: Any = None, *, version: str = "2022-08-03") -> "UnixConnection":
        """Ask, and leave the answer to whoever wants it."""
        connection = UnixConnection(self._edge.socket)
        content = None if body is None else json.dumps(body)
        connection.request(method, f"{path}?api-version={version}" if version else path, content)
        return connection

    def module(self, word: str, body: Any, *, module: str = "nestor", generation: str = "") -> tuple[int, Any]:
        """A call for the module itself."""
        genid = generation or self._edge.identity.generation
        return self.ask("POST", f"/modules/{module}/genid/{genid}/{word}", body)

    def seal(self, secret: bytes) -> str:
        """Encrypt."""
        _, answer = self.module("encrypt", {"plaintext": _b64(secret), "initializationVector": _b64(b"0" * 12)})
        return str(answer["ciphertext"])

    def unseal(self, sealed: str, **whose: str) -> tuple[int, Any]:
        """Decrypt."""
        return self.module("decrypt", {"ciphertext": sealed, "initializationVector": _b64(b"0" * 12)}, **whose)


class UnixConnection(http.client.HTTPConnection):
    """HTTP on a unix socket."""

    def __init__(self, place: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._place))


@pytest.fixture
def workload(edge: Edge) -> Caller:
    return Caller(edge)


def _b64(data: bytes) -> str:
    return b64encode(data).decode()
