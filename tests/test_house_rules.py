"""The rules of the house that no linter knows: sizes, laws and plaques; and that docs/cli.md tells every command."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from nestor.cli.commands import app

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "modules" / "nestor" / "nestor"
LONGEST_FILE, LONGEST_FUNCTION = 400, 50

_MIGRATIONS = HOUSE / "ledger" / "migrations" / "versions"
"""A revision makes its tables in one go and is never edited: it may be as long as the tables are many."""

_PLACES = (
    HOUSE,
    HOUSE.parent / "image",
    ROOT / "benchmarks",
    *(ROOT / "tests" / name for name in ("layers", "standin", "support")),
)
_SOURCES = sorted(path for place in _PLACES for path in place.rglob("*.py"))
_TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
_ROOMS = sorted({path.parent for path in HOUSE.rglob("*.py")})


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of its body: the signature of a command is the table of its options."""
    return (function.end_lineno or 0) - function.body[0].lineno + 1


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in _SOURCES}
    assert [(str(path), lines) for path, lines in lengths.items() if lines > LONGEST_FILE] == []


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}: {function.name}": _length(function)
        for path in _SOURCES
        if _MIGRATIONS not in path.parents
        for function in _functions(path)
    }
    assert [(name, lines) for name, lines in lengths.items() if lines > LONGEST_FUNCTION] == []


def test_every_file_opens_with_its_law() -> None:
    lawless = [path for path in (*_SOURCES, *_TESTS) if not ast.get_docstring(_tree(path))]
    assert [str(path.relative_to(ROOT)) for path in lawless] == []


def test_every_room_has_its_plaque_which_exports_nothing() -> None:
    plaques = {room: room / "__init__.py" for room in _ROOMS}
    assert [room for room, plaque in plaques.items() if not plaque.exists()] == []
    assert [room for room, plaque in plaques.items() if _exports(_tree(plaque))] == []


def _exports(plaque: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom | ast.ClassDef) for node in plaque.body)


def test_every_room_of_the_house_is_on_its_map() -> None:
    law = ast.get_docstring(_tree(HOUSE / "__init__.py")) or ""
    told = set(re.findall(r"\w+", law))
    assert {room.name for room in _ROOMS if room.parent == HOUSE} <= told


def _commands(group: TyperGroup, *above: str) -> Iterator[str]:
    """Every command that can be typed, by its words."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, *above, name)
        else:
            yield " ".join((*above, name))


def _documented() -> Iterator[str]:
    """Every command in the table of docs/cli.md: the first of a row has its group, the others stand beside it."""
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for cell in re.findall(r"^\| (`nestor [^|]*) \|", page, re.MULTILINE):
        first, *others = (_words(code) for code in re.findall(r"`([^`]+)`", cell))
        yield " ".join(first[1:])
        yield from (" ".join((*first[1:-1], *other)) for other in others)


def _words(code: str) -> list[str]:
    """The words of a command without what is to be filled in."""
    return [word for word in code.split() if word.islower() and word[0].isalpha()]


def test_the_table_of_commands_tells_every_command_and_no_other() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    assert sorted(_documented()) == sorted(_commands(root))
