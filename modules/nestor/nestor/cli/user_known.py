"""Whom `nestor user` knows: the users of its own file, those of the configuration, and the tutorial's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nestor.cli.places import show_time
from nestor.errors import MaterialError

if TYPE_CHECKING:
    from nestor.access.users import User
    from nestor.settings import Settings


def check_new(name: str, profiles: Sequence[str], settings: "Settings", data: Path) -> None:
    """Raise BadParameter for a name or profile that cannot be, MaterialError for a name that is taken elsewhere."""
    from nestor.access.users import check_name  # noqa: PLC0415 -- pydantic
    from nestor.app.trial import meant  # noqa: PLC0415 -- every room
    from nestor.ca.builtin import BUILT_IN  # noqa: PLC0415 -- only now

    try:
        check_name(name)
    except MaterialError as error:
        raise typer.BadParameter(error.text) from error
    known = {*BUILT_IN, *settings.profiles}
    for profile in profiles:
        if profile not in {"*", *known}:
            more = "" if settings.profiles else " Those of a configuration are known with --config."
            told = f"there is no profile {profile}{meant(profile, known)}.{more}"
            raise typer.BadParameter(told, param_hint="--profiles")
    check_free(name, settings, data)


def check_free(name: str, settings: "Settings", data: Path) -> None:
    """Refuse a user that the settings keep: their word counts, whatever stands in the file. Raises MaterialError."""
    from nestor.app.tutorial import HASH_FILE, is_tutorial_user  # noqa: PLC0415 -- argon2
    from nestor.naming import fold  # noqa: PLC0415 -- cryptography

    if fold(name) in map(fold, settings.access.users):
        raise MaterialError(f"The user {name} is kept in the configuration.", f"Change access.users.{name} there.")
    if is_tutorial_user(name, data):
        hint = f"Give it another password: nestor user hash > {data / HASH_FILE}"
        raise MaterialError(f"The user {name} is the tutorial's.", hint)


def existing_file(settings: "Settings", data: Path) -> Path:
    """Where the users are kept. Raises MaterialError where that cannot be."""
    place = settings.access.users_file.path(data)
    if not place.parent.is_dir():
        raise MaterialError(f"There is no directory {place.parent}.", "Check --data.")
    return place


def settled(settings: "Settings", data: Path) -> Iterator["User"]:
    """The users whom the settings keep, the tutorial's among them where it has served from here."""
    from nestor.access.users import User  # noqa: PLC0415 -- pydantic
    from nestor.app.tutorial import USER, is_tutorial_user  # noqa: PLC0415 -- argon2

    for name, user in settings.access.users.items():
        yield User(name, "", user.names, user.profiles)
    if USER not in settings.access.users and is_tutorial_user(USER, data):
        yield User(USER, "", ("*",), ("*",))


async def last_spent(users: Iterable["User"], data: Path, config: Path | None) -> Mapping[str, datetime]:
    """When one-time passwords last gave a certificate, by the names of their users. Raises MaterialError."""
    from nestor.cli.cert import open_for_command  # noqa: PLC0415 -- only now
    from nestor.ledger.opening import FILE  # noqa: PLC0415 -- SQLAlchemy

    once = {user.name: user.spending for user in users if user.spending}
    if not once or not (data / FILE).exists():
        return {}
    async with open_for_command(data, config) as ledger:
        found = {name: await ledger.last_spent(spending) for name, spending in once.items()}
    return {name: moment for name, moment in found.items() if moment is not None}


def row(user: "User", kept_in: str, spent: datetime | None = None) -> tuple[str, ...]:
    """A user as people read it, without the hash."""
    return (
        user.name,
        ", ".join(user.names) or user.name,
        ", ".join(user.profiles),
        show_time(user.expires) if user.expires else "never",
        "once" if user.one_time else "always",
        kept_in,
        show_time(spent) if spent else "",
    )
