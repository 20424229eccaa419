"""The tree of commands: what every one of them owes to whoever asks for help, or presses the tab key."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from nestor.cli.commands import app
from support.shell import nestor_here


def _commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    for name, below in getattr(command, "commands", {}).items():
        yield (*path, name)
        yield from _commands(below, *path, name)


@pytest.mark.parametrize("path", list(_commands(typer.main.get_command(app))), ids=" ".join)
def test_help_speaks_of_values_and_not_of_types(path: tuple[str, ...]) -> None:
    told = nestor_here(*path, "--help").stdout
    assert "Usage: nestor " in told
    assert "list[" not in told
    assert "range>" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cert", "list", "--state", "bogus"), "'bogus' is not one of 'active', 'superseded', 'revoked', 'expired'."),
        (("serve", "--port", "x"), "'--port': it has to be a whole number."),
        (("serve", "--port", "99999"), "'--port': it has to be at most 65535."),
        (("cert", "list", "--limit", "0"), "'--limit': it has to be at least 1."),
    ],
)
def test_a_misused_option_is_told_in_plain_words(words: tuple[str, ...], said: str) -> None:
    done = nestor_here(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Value error" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("nestor ca init --key-type ", ["ec-p256", "ec-p384", "rsa"]),
        ("nestor user remove g", ["gw3", "gw4"]),
        ("nestor user add x --profiles d", ["deviceIdentity"]),
        ("nestor user add x --profiles deviceIdentity,e", ["deviceIdentity,estIdentity", "deviceIdentity,edgeCa"]),
        ("nestor cert list --profile h", ["historian"]),
    ],
)
def test_a_tab_offers_what_there_is(tmp_path: Path, typed: str, offered: list[str]) -> None:
    (tmp_path / "nestor.toml").write_text("[profiles.historian]\n")
    for name in ("gw3", "gw4", "plc"):
        nestor_here("user", "add", name, "--data", str(tmp_path), stdin="x\n")
    shell = {"_NESTOR_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    where = {"NESTOR_DATA": str(tmp_path), "NESTOR_CONFIG": str(tmp_path / "nestor.toml")}
    environment = {**os.environ, **shell, **where}  # noqa: TID251 -- the shell's own
    nestor = Path(sys.executable).with_name("nestor")
    done = subprocess.run([nestor], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == offered
