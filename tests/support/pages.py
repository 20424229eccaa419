"""What a page of docs/ has people type, as words."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

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
