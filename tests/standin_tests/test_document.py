"""docs/stand-in.md tells the commands that there are, and every fault."""

from dataclasses import fields
from pathlib import Path

from standin.desk import help_table
from standin.faults import Faults

PAGE = (Path(__file__).parents[2] / "docs" / "stand-in.md").read_text("utf-8")


def test_the_table_of_commands_is_that_of_help() -> None:
    assert f"```\n{help_table()}\n```" in PAGE


def test_every_fault_is_in_the_table_of_faults() -> None:
    assert [one.name for one in fields(Faults) if one.name not in PAGE] == []
