"""`python -m standin` as people start it: a process with a prompt, or without one and scripted by its socket."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.process import wait_for
from support.shell import clean_environment

ROOT = Path(__file__).parents[2]
STANDIN = (sys.executable, "-m", "standin")


def environment() -> dict[str, str]:
    return {**clean_environment(), "PYTHONPATH": f"{ROOT}/tests:{ROOT}/modules/nestor"}


class Running:
    """A stand-in without a prompt, and the command line that talks to it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.control = place / "control.sock"
        self.process = subprocess.Popen(
            (*STANDIN, "--no-prompt", "--data", str(place), "--control", str(self.control)), env=environment()
        )

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = (*STANDIN, "--control", str(self.control), *words)
        return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tmp_path_factory.mktemp("edge"))
    try:
        wait_for(started.control.exists, 20, unless=lambda: started.process.poll() is not None)
        yield started
    finally:
        started.process.terminate()
        started.process.wait(20)


@pytest.mark.xdist_group("standin")
class TestCommandLine:
    def test_a_word_is_answered_by_the_one_that_runs(self, running: Running) -> None:
        done = running.tell("status")
        assert (done.returncode, done.stderr) == (0, "")
        assert "module      running" in done.stdout

    def test_json_survives_the_shell(self, running: Running) -> None:
        done = running.tell("patch", '{"log": {"level": "debug"}}')
        assert done.stdout.startswith("Desired properties, version 2.")
        assert '"level": "debug"' in running.tell("desired").stdout

    def test_a_complaint_is_one_line_on_stderr(self, running: Running) -> None:
        done = running.tell("dance")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: There is no command dance; help shows them all.\n"

    def test_the_module_is_restarted(self, running: Running) -> None:
        done = running.tell("restart")
        assert done.stdout.startswith("Stopped with exit code 0, and started again; connected after ")


def test_a_script_on_stdin_reads_like_a_conversation_and_leaves_nothing(tmp_path: Path) -> None:
    command = (*STANDIN, "--data", str(tmp_path), "--control", str(tmp_path / "control.sock"))
    script = "desired\n\nquit\n"
    done = subprocess.run(
        command, input=script, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "edge> desired\n{\n" in done.stdout
    assert done.stdout.endswith("edge> quit\nGoodbye.\n")
    assert not (tmp_path / "control.sock").exists()


@pytest.mark.parametrize("words", [("--twin", "/nowhere.json"), ("status",)])
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = (*STANDIN, "--control", str(tmp_path / "control.sock"), *words)
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
