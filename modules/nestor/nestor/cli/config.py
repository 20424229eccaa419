"""`nestor config`: check, describe and exemplify the configuration document."""

from pathlib import Path
from typing import Annotated

import typer

from nestor.cli.output import show_findings, show_json
from nestor.cli.places import JsonOption
from nestor.edge.identity import read_identity

app = typer.Typer(help="The configuration document: check, schema, example.", no_args_is_help=True)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A TOML or JSON file.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", envvar="NESTOR_DATA", help="The data directory: look there for the files that it names."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say whether a configuration holds. Every key that is wrong is named, and what is hardly meant or cannot work."""
    from nestor.app.advice import doubts, foreseen  # noqa: PLC0415 -- every room
    from nestor.app.trial import try_settings  # noqa: PLC0415 -- every room
    from nestor.settings import judge, read_document  # noqa: PLC0415 -- every room

    settings = judge(read_document(file))
    try_settings(settings)
    host = read_identity()
    ahead = foreseen(settings, data, parent=bool(host and host.parent), edge_hub=host is not None)
    show_findings([*doubts(settings), *ahead], as_json=json)
    typer.echo(f"{file} holds (revision {settings.revision}).", err=json)


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the document."""
    from nestor.settings import json_schema  # noqa: PLC0415 -- every room

    show_json(json_schema())


@app.command("example")
def example() -> None:
    """Print every key with its meaning and its default, as TOML."""
    from nestor.cli.example import example_toml  # noqa: PLC0415 -- every room

    typer.echo(example_toml(), nl=False)
