"""`nestor user`: the users of Basic authentication. The file holds hashes; passwords are prompted for, or made."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli import completion
from nestor.cli.output import on_terminal, show_rows
from nestor.cli.password import ask_password
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings, read_duration
from nestor.cli.private import write_private
from nestor.cli.user_known import check_free, check_new, existing_file, last_spent, row, settled
from nestor.errors import MaterialError

_NOT_MADE = "only a made password is written to a file: add --generate."

app = typer.Typer(help="Users of Basic authentication: add, list, remove, hash.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[
        str | None, typer.Argument(help="The user's name; by default also the one device id it may enroll.")
    ] = None,
    names: Annotated[str, typer.Option(help='Device ids it may enroll, as patterns: "line1-*, gw3".')] = "",
    profiles: Annotated[
        str,
        typer.Option(
            help='Profiles it may ask for: "deviceIdentity, edgeCa", or "*".', autocompletion=completion.profiles
        ),
    ] = "",
    expires_in: Annotated[str | None, typer.Option(help="How long the password is good: 12h, 30d ...")] = None,
    one_time: Annotated[bool, typer.Option("--one-time", help="Good for one certificate per device and kind.")] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make the password instead of asking for it.")] = False,
    listed: Annotated[
        Path | None, typer.Option("--from", help="A CSV for many: name, names, profiles, expires, oneTime.")
    ] = None,
    password_out: Annotated[Path | None, typer.Option(help="Where made passwords go: a new file, mode 0600.")] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Add a user, or give the one of that name new rules and a new password; or add all users of a list.

    The password is asked for, or read from a pipe. Those of a list are made, and good once unless the list says
    otherwise. A running server sees the change at once.
    """
    if listed is not None:
        if name or names or profiles or expires_in or one_time or generate:
            raise typer.BadParameter("the list says everything about its users.", param_hint="--from")
        _add_listed(listed, password_out, data, config)
        return
    if name is None:
        raise typer.BadParameter("say whom to add: a NAME, or --from FILE.")
    if password_out is not None and not generate:
        raise typer.BadParameter(_NOT_MADE, param_hint="--password-out")
    from nestor.access.passwords import draw_password, hash_password  # noqa: PLC0415 -- argon2
    from nestor.access.settings import USUAL_PROFILES  # noqa: PLC0415 -- pydantic
    from nestor.access.users import User, add_user  # noqa: PLC0415 -- pydantic

    check_new(name, _words(profiles), load_settings(config, data), data)
    expires = _expiry(expires_in)
    drawn = draw_password() if generate else None
    user = User(
        name=name,
        hash=drawn.hash if drawn else hash_password(_ask_password("Type one, pipe one in, or use --generate.")),
        names=_words(names),
        profiles=_words(profiles) or USUAL_PROFILES,
        expires=expires,
        one_time=one_time,
    )
    place = _users_file(data, config)
    if drawn:
        _hand_over(drawn.text, password_out)
    try:
        replaced = add_user(place, user)
    except BaseException:
        if password_out is not None:
            password_out.unlink()  # made a moment ago, and good for nobody
        raise
    if replaced:
        _say(f"There was a user {name}: its password is another one now, and what it may is only this.")
    _say(f"User {name} may enroll {', '.join(user.names) or name}: {', '.join(user.profiles)}.")


@app.command("list")
def list_users(data: DataOption = DEFAULT_DATA, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the users, never their hashes. With --config, those of the configuration too.

    `last spent` is when a one-time password last gave a certificate: it gives no other of that device and kind.
    """
    from nestor.access.users import read_users  # noqa: PLC0415 -- pydantic

    settings = load_settings(config, data)
    kept = read_users(existing_file(settings, data)).values()
    spent = asyncio.run(last_spent(kept, data, config))
    rows = [row(user, "users file", spent.get(user.name)) for user in kept]
    rows += [row(user, "settings") for user in settled(settings, data)]
    show_rows(("name", "names", "profiles", "expires", "good", "kept in", "last spent"), rows, as_json=json)


@app.command("hash")
def hash_of_password(
    generate: Annotated[bool, typer.Option("--generate", help="Make the password instead of asking for it.")] = False,
    password_out: Annotated[
        Path | None, typer.Option(help="Where a made password goes: a new file, mode 0600.")
    ] = None,
) -> None:
    """Make the hash of a password: `passwordHash` of a user in the configuration, or in a module twin.

    The password is asked for, or read from a pipe. Others may read a twin: give its users made passwords, which
    nobody guesses.
    """
    from nestor.access.passwords import draw_password, hash_password  # noqa: PLC0415 -- argon2

    if password_out is not None and not generate:
        raise typer.BadParameter(_NOT_MADE, param_hint="--password-out")
    password = draw_password().text if generate else _ask_password("Type one, pipe one in, or use --generate.")
    if generate:
        _hand_over(password, password_out)
    typer.echo(hash_password(password))


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="The user's name.", autocompletion=completion.users)],
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Remove a user. Certificates it got stay good until they expire or are revoked."""
    from nestor.access.users import read_users, remove_user  # noqa: PLC0415 -- pydantic
    from nestor.naming import fold  # noqa: PLC0415 -- cryptography

    settings = load_settings(config, data)
    place = existing_file(settings, data)
    if fold(name) not in read_users(place):
        check_free(name, settings, data)
    remove_user(place, name)
    _say(f"User {name} is gone.")


def _users_file(data: Path, config: Path | None) -> Path:
    """Where a user is going to be kept; the directory is made where there is none. Raises MaterialError."""
    from nestor.app.directory import make_directory  # noqa: PLC0415 -- every room
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- pydantic

    check_not_interrupted(data)
    place = load_settings(config, data).access.users_file.path(data)
    make_directory(data)
    return place


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _expiry(duration: str | None) -> datetime | None:
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    return None if duration is None else SystemClock().now() + read_duration("--expires-in", duration)


def _ask_password(hint: str) -> str:
    password = ask_password(twice=True)
    if not password:
        raise MaterialError("The password is empty.", hint)
    return password


def _hand_over(password: str, place: Path | None) -> None:
    """Give a made password to a person, or to a file that only its owner reads; never to a pipe or a log."""
    if place is not None:
        write_private(place, f"{password}\n")
        _say(f"The password is in {place}.")
    elif on_terminal():
        typer.echo(f"Password: {password}")
        _say("It is shown this once.")
    else:
        raise MaterialError("A made password is shown on a terminal only.", "Use --password-out FILE.")


def _add_listed(listed: Path, password_out: Path | None, data: Path, config: Path | None) -> None:
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.cli.user_list import add_listed  # noqa: PLC0415 -- argon2, pydantic

    if password_out is None:
        raise typer.BadParameter("the passwords of a list go to a new file: --password-out FILE.")
    settings, place = load_settings(config, data), _users_file(data, config)
    count = add_listed(listed, place, password_out, settings, SystemClock().now())
    _say(f"{count:,} users were added; their passwords are in {password_out}, and nowhere else.")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
