"""The `nestor` command as a shell runs it."""

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


def nestor(
    *words: str, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; its output is piped, as in a script."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NESTOR_")}  # noqa: TID251 -- the shell's own
    return subprocess.run(
        (sys.executable, "-m", "nestor", *words),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean, **(environment or {})},
    )


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def nestor_here(*words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Done:
    """Run one command in this process, which saves the start of another one; its output is piped."""
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
