"""The `nestor` command as a shell runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping

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


def clean_environment() -> dict[str, str]:
    """The environment of a shell that knows nothing of Nestor, nor of the make that may run this test."""
    given = os.environ.items()  # noqa: TID251 -- the shell's own
    return {name: value for name, value in given if not name.startswith(("NESTOR_", "MAKE")) and name not in _OF_MAKE}
