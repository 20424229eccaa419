"""The Makefile tells of itself."""

import re
import subprocess
from pathlib import Path

import pytest

from support.openssl import tool
from support.shell import clean_environment

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("words", [(), ("help",)])
def test_make_tells_every_target_and_what_it_does(words: tuple[str, ...]) -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert targets
    command = (tool("make"), "--no-print-directory", *words)
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert sorted(target for target, _ in lines) == sorted(targets[1].split())
