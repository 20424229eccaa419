"""A passphrase that a command needs: named, as the configuration names secrets, or asked for on a terminal."""

import sys
from pathlib import Path

import typer

from nestor.errors import MaterialError, SettingsError

ASK = "ask"


def read_passphrase(option: str, text: str | None) -> str | None:
    """The passphrase that an option names: `env:NAME`, `file:PATH`, or `ask`; None where it names none.

    Raises SettingsError or MaterialError.
    """
    if text is None:
        return None
    passphrase = _ask() if text == ASK else _named(option, text)
    if not passphrase:
        raise MaterialError(f"The passphrase of {option} is empty.", "Choose a long one, or leave the option out.")
    return passphrase


def _named(option: str, text: str) -> str:
    from nestor.document import Reference, parse_reference  # noqa: PLC0415 -- pydantic

    try:
        reference = parse_reference(text)
    except ValueError:
        reference = None
    if not isinstance(reference, Reference):  # what was typed is not shown: it may be the passphrase itself
        raise SettingsError(f"{option}: a passphrase is named, never typed there.", "Write env:NAME, file:PATH or ask.")
    return reference.read_text(Path())


def _ask() -> str:
    if not sys.stdin.isatty():
        raise MaterialError("There is no terminal to ask for a passphrase on.", "Name it: env:NAME or file:PATH.")
    passphrase: str = typer.prompt("Passphrase for the keys", hide_input=True, confirmation_prompt=True, err=True)
    return passphrase
