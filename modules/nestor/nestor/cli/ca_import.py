"""`nestor ca import`: the CA of another server, with what it issued."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli.host import make_ready
from nestor.cli.output import key_of, show_fields, show_json
from nestor.cli.passphrase import read_passphrase
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings


class Origin(StrEnum):
    """By which class of credential devices first got in."""

    PASSWORD = "password"  # noqa: S105 -- a word of the model
    BOOTSTRAP = "bootstrap"


def import_ca(
    libest: Annotated[Path, typer.Option(help="The estCA folder of a libest server.", file_okay=False)],
    passphrase: Annotated[
        str | None, typer.Option(help="Where the passphrase of its key file is, if it has one: env:NAME or file:PATH.")
    ] = None,
    onboarded_by: Annotated[
        Origin, typer.Option(help="How devices first got in: only so are they let in anew while certified.")
    ] = Origin.PASSWORD,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new data directory of a libest server's CA, so that its devices go on renewing here.

    Takes the CA, every certificate that it issued, and what it revoked. Says what it left out, and why.
    """
    from nestor.app import imported  # noqa: PLC0415 -- every room
    from nestor.app import libest as run  # noqa: PLC0415 -- every room
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.model import Method  # noqa: PLC0415 -- cryptography

    source = make_ready(Source(load_settings(config, data), data, SystemClock(), lambda _: None))
    secret = read_passphrase("--passphrase", passphrase, about="Passphrase of the CA key") if passphrase else None
    outcome = asyncio.run(run.import_libest(run.Wish(libest, source, secret, Method(onboarded_by))))
    left_out = [f"{serial} {subject}: {why}" for serial, subject, why in imported.left_out(outcome)]
    if json:
        show_json({key_of(name): value for name, value in (imported.done(outcome) | {"left out": left_out}).items()})
    else:
        show_fields(imported.done(outcome))
    for line in left_out:
        typer.echo(f"Left out: {line}", err=True)
    for number, step in enumerate(imported.next_steps(outcome, data, source.clock.now()), 1):
        typer.echo(f"{number}. {step}", err=True)
