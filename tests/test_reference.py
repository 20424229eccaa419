"""The reference pages say what the program says, and every command says what it is for."""

from pathlib import Path
from typing import Any

import pytest

from support.reference import commands, pages

PAGES = pages()


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_a_page_is_as_the_program_writes_it(place: Path) -> None:
    assert place.read_text("utf-8") == PAGES[place], "hint: make reference"


@pytest.mark.parametrize(
    ("words", "command"), commands().items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_and_every_option_of_it_say_what_they_are_for(words: str, command: Any) -> None:
    assert command.help, words
    assert [option.name for option in command.params if not option.help and option.param_type_name == "option"] == []
