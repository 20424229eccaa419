"""The README's own commands, typed as they stand there, in a directory that looks like a checkout."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509

from support.openssl import tool
from support.process import wait_for
from support.shell import clean_environment

ROOT = Path(__file__).parents[2]
PORT = 8085
_IN_GIT = ("Makefile", "README.md", "pyproject.toml", "requirements.lock", "modules", ".venv")


def _commands() -> tuple[str, str]:
    """What is typed in one terminal, and in the other."""
    block = re.search(r"five commands:\n\n```sh\n(.*?)\n```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    first, _, others = block[1].partition("\n\n")
    return first, others


@contextmanager
def _typed(command: str, place: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on in its terminal, until Ctrl-C ends it and all that it started."""
    shell = (tool("sh"), "-c", command)
    with (place / "terminal.log").open("w") as log:
        running = subprocess.Popen(
            shell, cwd=place, env=clean_environment(), stdout=log, stderr=log, text=True, start_new_session=True
        )
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGINT)
        running.wait(15)


def _is_free() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) != 0


def test_the_commands_of_the_readme_end_with_a_certificate_that_verifies(tmp_path: Path) -> None:
    for name in ("make", "openssl", "curl"):
        tool(name)
    if not _is_free():
        pytest.skip(f"port {PORT} is taken by another program")
    for name in _IN_GIT:
        (tmp_path / name).symlink_to(ROOT / name)
    serve, enroll = _commands()
    with _typed(serve, tmp_path) as running:
        wait_for(lambda: not _is_free(), 30, unless=lambda: running.poll() is not None)
        shell = (tool("sh"), "-e", "-c", enroll)
        done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[-1] == "device.pem: OK"
    (issued,) = x509.load_pem_x509_certificates((tmp_path / "device.pem").read_bytes())
    assert issued.subject.rfc4514_string() == "CN=my-device"
    assert "For tests only" in (tmp_path / "terminal.log").read_text()
