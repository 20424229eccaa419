"""The `nestor` command as a shell runs it: as a process, or in this one, which saves the start of another."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from nestor.cli.commands import app
from nestor.cli.exits import run


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


_OF_MAKE = {"MFLAGS", "ARGS", "TESTS", "WORKERS", "PYTHON"}


def nestor(
    *words: str, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; its output is piped, as in a script."""
    return subprocess.run(
        (sys.executable, "-m", "nestor", *words),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean_environment(), **(environment or {})},
    )


def nestor_here(*words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Done:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as shell, redirect_stdout(out), redirect_stderr(err):
        shell.setattr(sys, "argv", ["nestor", *words])
        shell.setattr(sys, "stdin", io.StringIO(stdin))
        for name in [name for name in os.environ if name.startswith("NESTOR_")]:  # noqa: TID251 -- the shell's own
            shell.delenv(name)
        for name, value in (environment or {}).items():
            shell.setenv(name, value)
        code = run(app)
    return Done(code, out.getvalue(), err.getvalue())


def clean_environment() -> dict[str, str]:
    """The environment of a shell that knows nothing of Nestor, nor of the make that may run this test."""
    given = os.environ.items()  # noqa: TID251 -- the shell's own
    return {name: value for name, value in given if not name.startswith(("NESTOR_", "MAKE")) and name not in _OF_MAKE}
