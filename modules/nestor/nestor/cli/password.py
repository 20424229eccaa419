"""A password on its way in: typed unseen at a terminal, or the first line of a pipe; never on the command line."""

import sys

import typer

from nestor.errors import MaterialError


def ask_password(*, twice: bool = False) -> str:
    """A password; empty where there is none. A person who makes one up types it `twice`. Raises MaterialError."""
    password = _typed(twice=twice) if sys.stdin.isatty() else _piped()
    try:
        password.encode()
    except UnicodeEncodeError:  # undecodable bytes, which Python carries along in some locales
        raise _not_text() from None
    return password


def _typed(*, twice: bool) -> str:
    while True:
        password: str = typer.prompt("Password", hide_input=True, err=True)
        if not twice or typer.prompt("Once more", hide_input=True, err=True) == password:
            return password
        typer.echo("error: The two are not the same.", err=True)


def _piped() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _not_text() from None


def _not_text() -> MaterialError:
    return MaterialError("The password is not UTF-8 text.", "Convert it, or choose another.")
