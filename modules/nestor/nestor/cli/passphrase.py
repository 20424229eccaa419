"""Passphrases as commands take them: by the name of the place that holds them, from a person, or from a pipe."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli.exits import Misuse
from nestor.errors import MaterialError

ASK = "ask"

PassphraseOption = Annotated[
    str,
    typer.Option("--passphrase", help="Where the passphrase is: env:NAME or file:PATH; asked for otherwise."),
]


def read_passphrase(option: str, named: str, *, about: str, twice: bool = False) -> str:
    """The passphrase that an option names: `env:NAME`, `file:PATH`, or `ask`; `about` is what a person reads then.

    Raises Misuse for a place that is none, MaterialError where it holds nothing.
    """
    passphrase = _asked(about, twice=twice) if named == ASK else _named(option, named)
    if not passphrase:
        raise MaterialError(
            f"The passphrase of {option} is empty.", "Type one, pipe one in, or name a place: env:NAME or file:PATH."
        )
    return passphrase


def _named(option: str, text: str) -> str:
    from nestor.document import Reference, parse_reference  # noqa: PLC0415 -- pydantic

    try:
        reference = parse_reference(text)
    except ValueError:
        reference = None
    if not isinstance(reference, Reference):  # what was typed is not shown: it may be the passphrase itself
        raise Misuse(f"{option}: a passphrase is named, never typed there.", "Write env:NAME, file:PATH or ask.")
    return reference.read_text(Path())


def _asked(about: str, *, twice: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = typer.prompt(about, hide_input=True, confirmation_prompt=twice, err=True)
    return answer
