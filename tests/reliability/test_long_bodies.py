"""A gibibyte through a real process, TLS on both sides: memory does not grow with it, and enrollment does not wait."""

import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.process import Mortal, wait_for
from support.server import free_port

MIB = 1 << 20
SIZE = 1024 * MIB
GROWTH = 16 * MIB


def session(anchor: Path, port: int) -> ssl.SSLSocket:
    """A connection to the proxy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(anchor)
    return context.wrap_socket(socket.create_connection(("localhost", port), timeout=60), server_hostname="localhost")


def download(anchor: Path, port: int, size: int) -> None:
    """Fetch a body of so many bytes."""
    room, got = bytearray(256 * 1024), 0
    with session(anchor, port) as line:
        line.sendall(b"GET /behind/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % size)
        while part := line.recv_into(room):
            got += part
    assert got > size


def upload(anchor: Path, port: int, size: int) -> None:
    """Send a body of so many bytes."""
    with session(anchor, port) as line:
        line.sendall(b"PUT /behind HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // MIB):
            line.sendall(bytes(MIB))
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")


@contextmanager
def behind(server: Mortal, port: int) -> Iterator[None]:
    """What the route leads to, by the certificate of the server itself."""
    data = server.data
    command = [sys.executable, "-m", "benchmarks.backend", str(port)]
    command += [str(data / "server-certificate.pem"), str(data / "server-key.pem")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        wait_for(lambda: is_open(port), 10)
        yield
    finally:
        process.kill()
        process.wait(10)


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_gibibyte_down_and_up_leaves_the_memory_as_it_was_and_health_is_answered(tmp_path: Path) -> None:
    port = free_port()
    anchors = f"file:{tmp_path}/data/ca/certificates.pem"
    routes = {"behind": {"path": "/behind", "to": f"https://localhost:{port}", "anchors": anchors}}
    with Mortal(tmp_path, {"routes": {}}) as first:
        first.stop()
    with Mortal(tmp_path, {"routes": routes, "proxy": {"through": "direct"}}) as server, behind(server, port):
        download(server.ca_file, server.port, MIB)  # what is loaded with the first one
        upload(server.ca_file, server.port, MIB)
        before, most, waits, ended = server.memory(), 0, list[float](), threading.Event()

        def look() -> None:
            nonlocal most
            device = server.device()
            while not ended.wait(0.1):
                most = max(most, server.memory())
                begun = time.monotonic()
                assert device.get("cacerts").status == 200
                waits.append(time.monotonic() - begun)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            download(server.ca_file, server.port, SIZE)
            upload(server.ca_file, server.port, SIZE)
        finally:
            ended.set()
            looking.join()
    assert most - before < GROWTH
    assert statistics.median(waits) < 0.5
