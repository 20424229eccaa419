"""The `nestor` command as a shell runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping


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
