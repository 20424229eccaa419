"""`nestor user`: the users of Basic authentication. The file holds hashes; passwords are prompted for, or made."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli.output import on_terminal, show_rows
from nestor.cli.places import (
    DEFAULT_DATA,
    ConfigOption,
    DataOption,
    JsonOption,
    load_settings,
    read_duration,
    show_time,
)
from nestor.errors import MaterialError

app = typer.Typer(help="Users of Basic authentication: add, list, remove.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The user's name; by default also the one device id it may enroll.")],
    names: Annotated[str, typer.Option(help='Device ids it may enroll, as patterns: "line1-*, gw3".')] = "",
    profiles: Annotated[str, typer.Option(help='Profiles it may ask for: "deviceIdentity, edgeCa", or "*".')] = "",
    expires_in: Annotated[str | None, typer.Option(help="How long the password is good: 12h, 30d ...")] = None,
    one_time: Annotated[bool, typer.Option("--one-time", help="Good for one certificate per device and kind.")] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make the password instead of asking for it.")] = False,
    password_out: Annotated[Path | None, typer.Option(help="Where a made password goes; mode 0600.")] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Add a user, or give the one of that name new rules and a new password.

    The password is asked for, or read from a pipe; a running server sees the change at once.
    """
    from nestor.access.passwords import generate_password, hash_password  # noqa: PLC0415 -- argon2
    from nestor.access.settings import USUAL_PROFILES  # noqa: PLC0415 -- pydantic
    from nestor.access.users import User, add_user, check_name  # noqa: PLC0415 -- pydantic

    check_name(name)
    password = generate_password() if generate else _ask_password()
    user = User(
        name=name,
        hash=hash_password(password),
        names=_words(names),
        profiles=_words(profiles) or USUAL_PROFILES,
        expires=_expiry(expires_in),
        one_time=one_time,
    )
    place = _users_file(data, config)
    if generate:
        _hand_over(password, password_out)
    add_user(place, user)
    _say(f"User {name} may enroll {', '.join(user.names) or name}: {', '.join(user.profiles)}.")


@app.command("list")
def list_users(data: DataOption = DEFAULT_DATA, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the users that this command keeps, never their hashes."""
    from nestor.access.users import read_users  # noqa: PLC0415 -- pydantic

    rows = [
        (
            user.name,
            ", ".join(user.names) or user.name,
            ", ".join(user.profiles),
            show_time(user.expires) if user.expires else "never",
            "once" if user.one_time else "always",
        )
        for user in read_users(_users_file(data, config)).values()
    ]
    show_rows(("name", "names", "profiles", "expires", "good"), rows, as_json=json)


@app.command("remove")
def remove(name: str, data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Remove a user. Certificates it got stay good until they expire or are revoked."""
    from nestor.access.users import remove_user  # noqa: PLC0415 -- pydantic

    remove_user(_users_file(data, config), name)
    _say(f"User {name} is gone.")


def _users_file(data: Path, config: Path | None) -> Path:
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- pydantic

    check_not_interrupted(data)
    place = load_settings(config).access.users_file.path(data)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The directory {data} cannot be made: {error.strerror}.", "Check --data.") from error
    return place


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _expiry(duration: str | None) -> datetime | None:
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    return None if duration is None else SystemClock().now() + read_duration("--expires-in", duration)


def _ask_password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise MaterialError("The password is empty.", "Type one, pipe one in, or use --generate.")
    return password


def _hand_over(password: str, place: Path | None) -> None:
    """Give a made password to a person, or to a file that only its owner reads; never to a pipe or a log."""
    if place is not None:
        with os.fdopen(_open_new(place), "w", encoding="utf-8") as file:
            file.write(password + "\n")
        _say(f"The password is in {place}.")
    elif on_terminal():
        typer.echo(f"Password: {password}")
        _say("It is shown this once.")
    else:
        raise MaterialError("A made password is shown on a terminal only.", "Use --password-out FILE.")


def _open_new(place: Path) -> int:
    try:
        return os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise MaterialError(f"{place} cannot be made: {error.strerror}.", "Choose a new file.") from error


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
