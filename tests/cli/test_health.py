"""`nestor health`: what a container asks every half minute, answered at once, with an exit code and a sentence."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestor.cli.probe import USUAL, word_of
from nestor.web.probes import WORD
from support.process import NESTOR, Mortal, wait_for
from support.server import free_port
from support.shell import nestor_here

LIMIT = 0.3


def _operated(place: Path) -> Mortal:
    return Mortal(place, {"operations": {"addresses": "127.0.0.1", "port": free_port()}})


def _word(server: Mortal) -> str:
    """Where it says to be asked; it does so a moment after it serves."""
    wait_for((server.data / WORD).exists, 5)
    return word_of(server.data)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with _operated(tmp_path_factory.mktemp("health")) as server:
        _word(server)
        yield server


def _asked(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NESTOR_DATA": str(data)}  # noqa: TID251 -- handed on to the process
    return subprocess.run((*NESTOR, "health", *words), capture_output=True, text=True, check=False, env=environment)


def test_a_server_that_lives_and_issues_is_told_in_a_sentence(server: Mortal) -> None:
    assert (word_of(server.data)).startswith("http://127.0.0.1:")
    for words, told in (((), "It is healthy.\n"), (("--ready",), "It issues.\n")):
        done = _asked(server.data, *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, told, "")


def test_it_takes_less_than_a_blink(server: Mortal) -> None:
    def seconds() -> float:
        start = time.monotonic()
        _asked(server.data)
        return time.monotonic() - start

    assert min(seconds() for _ in range(5)) < LIMIT


def test_it_loads_nothing_that_is_not_of_python_itself() -> None:
    program = "import sys; from nestor.cli import probe; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name in {"typer", "pydantic", "aiohttp", "cryptography", "ssl"}} == set()


def test_another_server_is_asked_by_its_url(server: Mortal, tmp_path: Path) -> None:
    assert nestor_here("health", word_of(server.data), "--data", str(tmp_path)).returncode == 0
    assert nestor_here("health", f"https://localhost:{server.port}").returncode == 0


def test_a_server_without_a_port_for_operations_is_asked_where_it_serves(tmp_path: Path) -> None:
    with Mortal(tmp_path) as server:
        assert _word(server) == f"https://127.0.0.1:{server.port}"
        assert _asked(server.data).returncode == 0


def test_one_that_lives_and_does_not_issue_is_healthy_and_says_why_it_is_not_ready(tmp_path: Path) -> None:
    server = _operated(tmp_path)
    server.data.joinpath("ca-made").write_text("00\n")
    with server:
        _word(server)
        assert _asked(server.data).returncode == 0
        done = _asked(server.data, "--ready")
    assert done.returncode == 1
    assert done.stderr.startswith("It does not issue: ca: ")


def test_one_that_is_not_there_is_told_with_the_place_that_was_asked(tmp_path: Path) -> None:
    assert word_of(tmp_path) == USUAL
    tmp_path.joinpath("health.url").write_text(f"http://127.0.0.1:{free_port()}")
    done = _asked(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Nestor does not answer at {word_of(tmp_path)}: ")


def test_a_stop_takes_its_word_back(tmp_path: Path) -> None:
    server = _operated(tmp_path)
    with server:
        _word(server)
    assert not server.data.joinpath("health.url").exists()
