"""How commands show what they found: a table in color on a terminal, tab-separated in a pipe, JSON when asked for."""

import json
import sys
from collections.abc import Mapping, Sequence

import typer


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool = False) -> None:
    """Show rows: one JSON array, a table, or one tab-separated line each without a heading."""
    if as_json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif on_terminal():
        _show_table(columns, rows)
    else:
        for row in rows:
            typer.echo("\t".join(row))


def show_fields(fields: Mapping[str, str], *, as_json: bool = False) -> None:
    """Show one thing: a JSON object, or a line per field."""
    if as_json:
        show_json(dict(fields))
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        typer.echo(f"{typer.style(name.ljust(width), bold=True) if on_terminal() else name.ljust(width)}  {value}")


def show_json(value: object) -> None:
    """Show a value as JSON that people can read too."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 -- heavy, and only for people
    from rich.table import Table  # noqa: PLC0415 -- heavy, and only for people

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
