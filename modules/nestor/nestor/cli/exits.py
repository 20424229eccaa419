"""From errors to exit codes and two lines on standard error: the one table, as documented in docs/cli.md."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from typer._click import exceptions as misuses  # typer carries its own click, and shows its errors nowhere else

from nestor.errors import (
    CannotDecide,
    CannotGoOn,
    CannotIssue,
    DeviceFault,
    MaterialError,
    NestorError,
    Pending,
    SettingsError,
    Unavailable,
)

OK, BUG, USAGE, SETTINGS, MATERIAL, REFUSED, UNAVAILABLE, FOUND, LOST, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 7, 8, 130


class Misuse(NestorError):
    """Options that cannot be, or cannot be together, where a hint of its own helps more than `--help`."""


_CODES: tuple[tuple[type[NestorError], int], ...] = (
    (Misuse, USAGE),
    (SettingsError, SETTINGS),
    (MaterialError, MATERIAL),
    (CannotIssue, REFUSED),
    (Pending, REFUSED),
    (CannotDecide, REFUSED),
    (DeviceFault, REFUSED),
    (Unavailable, UNAVAILABLE),
    (CannotGoOn, LOST),
)


@contextmanager
def told_as_misuse() -> Iterator[None]:
    """Where nothing is configured, what cannot be was typed: a SettingsError becomes a Misuse."""
    try:
        yield
    except SettingsError as error:
        raise Misuse(error.sentence, error.hint) from error


def run(app: typer.Typer) -> int:
    """Run the command line and say how it ended."""
    try:
        outcome = app(standalone_mode=False, prog_name="nestor")
    except (NestorError, PermissionError) as error:
        fault = error if isinstance(error, NestorError) else _closed(error)
        return _fail(fault.sentence, fault.hint, code_of(fault))
    except misuses.NoArgsIsHelpError as help_text:
        typer.echo(help_text.format_message())
        return USAGE
    except misuses.ClickException as misuse:
        return _fail(_misuse(misuse), _usage_hint(misuse), USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    return outcome if isinstance(outcome, int) else OK


def _closed(error: PermissionError) -> MaterialError:
    told = f"{error.filename or 'What this needs'} is closed to this user: {error.strerror}."
    return MaterialError(told, "Run this as the user that Nestor runs as.")


def code_of(fault: NestorError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(fault, kind)), BUG)


def _misuse(misuse: misuses.ClickException) -> str:
    from nestor.document import in_our_words  # noqa: PLC0415 -- pydantic

    return f"{in_our_words(misuse.format_message()).removesuffix('.')}."


def _usage_hint(misuse: misuses.ClickException) -> str:
    context = getattr(misuse, "ctx", None)
    return f"{context.command_path} --help" if context else "nestor --help"


def _fail(sentence: str, hint: str, code: int) -> int:
    """Say what is wrong and what to do."""
    for line in sentence.splitlines():
        typer.echo(f"error: {line}", err=True)
    if hint:
        typer.echo(f"hint: {hint}", err=True)
    return code
