"""What a page of docs/ has people type, as words."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from nestor.cli.commands import app

_DOCS = Path(__file__).parents[2] / "docs"


def text(page: str) -> str:
    """A page."""
    return (_DOCS / page).read_text("utf-8")


def section(page: str, heading: str) -> str:
    """The part of a page below a heading, up to the next one."""
    parts = re.split(r"^#+ ", text(page), flags=re.MULTILINE)
    return next(part for part in parts if part.startswith(heading))


def lines(part: str) -> Iterator[list[str]]:
    """Every command of a part of a page; lines that go on are one."""
    for block in re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True)


def in_container(part: str) -> Iterator[list[str]]:
    """The commands of Nestor that are typed through `docker exec`, without it."""
    for words in lines(part):
        if words[:2] == ["docker", "exec"] and words.count("nestor") > 1:
            yield words[words.index("nestor", words.index("nestor") + 1) + 1 :]


def options_of(words: Sequence[str]) -> set[str]:
    """The options of the command of Nestor that some words begin with."""
    command = get_command(app)
    for word in words:
        if not isinstance(command, TyperGroup) or word not in command.commands:
            break
        command = command.commands[word]
    assert not isinstance(command, TyperGroup), words
    return {option for parameter in command.params for option in parameter.opts}
