"""The `openssl` command, for what only another TLS stack can tell."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def tool(name: str) -> str:
    """The path of a command, or the test is skipped for want of it."""
    place = shutil.which(name)
    if place is None:
        pytest.skip(f"{name} is not installed")
    return place


def s_client(port: int, *options: str, say: bytes = b"") -> str:
    """Everything that `openssl s_client` has to tell about a connection on which something is said."""
    command = (tool("openssl"), "s_client", "-connect", f"localhost:{port}", "-servername", "localhost", *options)
    done = subprocess.run(command, input=say, capture_output=True, timeout=20, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


@contextmanager
def s_server(certificate: Path, key: Path, *options: str) -> Iterator[int]:
    """An `openssl s_server` that answers every GET with a page of its own; the port where it listens."""
    command = (tool("openssl"), "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", certificate, "-key", key)
    with subprocess.Popen((*command, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield _port_of(process)
        finally:
            process.kill()


def _port_of(process: subprocess.Popen[bytes]) -> int:
    """Where a server listens, in its own words; raises with what it said instead."""
    assert process.stdout is not None
    said = b""
    while line := process.stdout.readline():
        said += line
        if told := re.search(rb"ACCEPT \S+:(\d+)", line):
            return int(told[1])
    raise RuntimeError(said.decode())


def run(*words: str | Path, say: bytes = b"") -> bytes:
    """The output of an `openssl` command; raises where it fails."""
    return subprocess.run((tool("openssl"), *words), input=say, capture_output=True, timeout=20, check=True).stdout
