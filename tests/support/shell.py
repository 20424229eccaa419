"""The `nestor` command as a shell runs it, and as cheaply as can be."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

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


def nestor_here(*words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, for tables of many cases; the environment is that of the tests."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(partial(app, args=list(words)))
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
