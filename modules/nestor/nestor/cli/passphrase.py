"""Passphrases as commands take them: by the name of the place that holds them, from a person, or from a pipe."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from nestor.errors import MaterialError, SettingsError

PassphraseOption = Annotated[
    str | None,
    typer.Option("--passphrase", help="Where the passphrase is: env:NAME or file:PATH; asked for otherwise."),
]


def read_passphrase(named: str | None, *, about: str, twice: bool = False) -> str:
    """The passphrase. Raises SettingsError for a place that is none, MaterialError where it holds nothing."""
    passphrase = _named(named) if named else _asked(about, twice=twice)
    if not passphrase:
        raise MaterialError(
            "The passphrase is empty.", "Type one, pipe one in, or name a place: --passphrase env:NAME."
        )
    return passphrase


def _named(text: str) -> str:
    from nestor.document import Reference, parse_reference  # noqa: PLC0415 -- pydantic

    try:
        reference = parse_reference(text)
    except ValueError as error:
        raise SettingsError(f"--passphrase: {error}.") from None
    return reference.read_text(Path()) if isinstance(reference, Reference) else ""


def _asked(about: str, *, twice: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = typer.prompt(about, hide_input=True, confirmation_prompt=twice, err=True)
    return answer
