"""Completion in the shell, by the script that `nestor --show-completion` gives, in a bash that has sourced it."""

import os
import subprocess
import sys
from pathlib import Path

from support.openssl import tool
from support.shell import clean_environment

_NESTOR = Path(sys.executable).parent
_SCRIPT = """\
eval "$(nestor --show-completion)"
COMP_WORDS=({words}) COMP_CWORD={at}
_nestor_completion nestor
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def _offered(*words: str) -> set[str]:
    """What bash offers for the last word of a command line."""
    script = _SCRIPT.format(words=" ".join(f'"{word}"' for word in words), at=len(words) - 1)
    environment = {**clean_environment(), "PATH": f"{_NESTOR}{os.pathsep}{os.defpath}"}
    command = (tool("bash"), "--norc", "-c", script)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_commands_are_completed() -> None:
    assert _offered("nestor", "se") == {"serve"}
    assert {"serve", "config", "ca", "cert", "user", "est"} <= _offered("nestor", "")


def test_the_commands_of_a_group_are_completed() -> None:
    assert {"init", "show", "export"} <= _offered("nestor", "ca", "")


def test_options_are_completed() -> None:
    assert _offered("nestor", "serve", "--tut") == {"--tutorial"}
