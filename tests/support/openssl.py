"""The `openssl` command, for what only another TLS stack can tell."""

import shutil
import subprocess
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


def run(*words: str | Path, say: bytes = b"") -> bytes:
    """The output of an `openssl` command; raises where it fails."""
    return subprocess.run((tool("openssl"), *words), input=say, capture_output=True, timeout=20, check=True).stdout
