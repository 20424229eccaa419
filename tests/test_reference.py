"""The reference pages say what the program says, and every command says what it is for."""

from pathlib import Path

import pytest

from support.reference import commands, pages
from support.shell import nestor_here

PAGES = pages()


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_a_page_is_as_the_program_writes_it(place: Path) -> None:
    assert place.read_text("utf-8") == PAGES[place], "hint: make reference"


@pytest.mark.parametrize("command", commands())
def test_every_option_says_what_it_is_for(command: str) -> None:
    told = nestor_here(*command.split(), "--help", environment={"COLUMNS": "200"}).stdout
    options = [line.strip() for line in told.splitlines() if line.strip().startswith("-")]
    assert all("  " in option for option in options), options
