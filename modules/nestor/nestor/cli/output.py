"""How commands show what they found: a table in color on a terminal, tab-separated in a pipe, JSON when asked for.

Commands name what they show in words, for people. In JSON and CSV the same is a key in camel case, for machines.
"""

import csv
import json
import sys
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import asdict

import typer

from nestor.cli.exits import FOUND, OK
from nestor.finding import Finding, Gravity

_COLORS = {Gravity.FINE: "green", Gravity.WARNING: "yellow", Gravity.PROBLEM: "red"}
_MARK = max(map(len, Gravity)) + 2
_FORMULA = ("=", "+", "-", "@")
_WIDE = 130
"""From how many columns on a terminal has room for whole rows."""

_KEYS = {"SHA-1": "sha1", "SHA-256": "sha256", "valid from": "notBefore", "valid until": "notAfter"}
"""Words whose key is that of X.509, or of every other tool."""


def plain(text: str) -> str:
    """A text that strangers may have written, harmless to terminals and to those who count lines and tabs."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def on_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def key_of(words: str) -> str:
    """What machines read where people read words: `asked for by` is `askedForBy`."""
    first, *rest = words.split()
    return _KEYS.get(words) or first + "".join(word.capitalize() for word in rest)


def show_rows(
    columns: Sequence[str], rows: Sequence[Sequence[str | int]], *, as_json: bool = False, narrow: Sequence[str] = ()
) -> None:
    """Show rows: one JSON array, where numbers stay numbers, a table, or one tab-separated line each without a heading.

    `narrow` are the columns that a terminal shows which has no room for all; none for all.
    """
    if as_json:
        keys = [key_of(column) for column in columns]
        show_json([dict(zip(keys, row, strict=True)) for row in rows])
    elif on_terminal():
        _show_table(columns, rows, narrow)
    else:
        for row in rows:
            typer.echo("\t".join(plain(str(cell)) for cell in row))


def show_fields(fields: Mapping[str, str], *, as_json: bool = False) -> None:
    """Show one thing: a JSON object, or a line per field."""
    if as_json:
        show_json({key_of(name): value for name, value in fields.items()})
        return
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        head = name.ljust(width)
        typer.echo(f"{typer.style(head, bold=True) if on_terminal() else head}  {plain(value)}")


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> int:
    """Show what a check found, each remedy below its finding; the exit code says whether something will not work."""
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = finding.gravity.value.ljust(_MARK)
            typer.echo(f"{typer.style(mark, fg=_COLORS[finding.gravity]) if on_terminal() else mark}{finding.sentence}")
            if finding.remedy:
                typer.echo(f"{' ' * _MARK}{finding.remedy}")
    return FOUND if any(finding.gravity is Gravity.PROBLEM for finding in findings) else OK


async def stream_json(records: AsyncIterable[Mapping[str, str]]) -> None:
    """Write records as one JSON array, each as it comes; what is empty is null."""
    opened = False
    async for record in records:
        typer.echo("," if opened else "[")
        keyed = {key_of(name): value or None for name, value in record.items()}
        typer.echo(json.dumps(keyed, ensure_ascii=False), nl=False)
        opened = True
    typer.echo("\n]" if opened else "[]")


async def stream_csv(records: AsyncIterable[Mapping[str, str]]) -> None:
    """Write records as CSV (RFC 4180) with a heading, each as it comes; what a spreadsheet would run is text there."""
    writer = None
    async for record in records:
        if writer is None:
            writer = csv.writer(sys.stdout)
            writer.writerow(map(key_of, record))
        writer.writerow([f"'{value}" if value.startswith(_FORMULA) else value for value in record.values()])


def show_json(value: object) -> None:
    """Show a value as JSON that people can read too."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _show_table(columns: Sequence[str], rows: Sequence[Sequence[str | int]], narrow: Sequence[str]) -> None:
    from rich.console import Console  # noqa: PLC0415 -- heavy, and only for people
    from rich.table import Table  # noqa: PLC0415 -- heavy, and only for people
    from rich.text import Text  # noqa: PLC0415 -- heavy, and only for people

    console, table = Console(), Table(box=None, header_style="bold", pad_edge=False)
    roomy = not narrow or console.width >= _WIDE
    kept = [place for place, column in enumerate(columns) if roomy or column in narrow]
    for place in kept:
        table.add_column(columns[place], overflow="fold")  # what has no room goes on below; nothing is cut off
    for row in rows:
        table.add_row(*(Text(plain(str(row[place]))) for place in kept))
    console.print(table)
