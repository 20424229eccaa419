"""What a shell offers at a tab: names that only Nestor knows. Where nothing can be read, nothing is offered."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

from nestor.cli.places import DEFAULT_DATA
from nestor.errors import NestorError


def profiles(context: typer.Context, incomplete: str) -> Iterator[str]:
    """The profiles that there are; of several with commas between them, the last one."""
    from nestor.ca.builtin import BUILT_IN  # noqa: PLC0415 -- only now
    from nestor.cli.places import load_settings  # noqa: PLC0415 -- pydantic and every room

    before, comma, begun = incomplete.rpartition(",")
    known = dict.fromkeys(BUILT_IN)
    with suppress(NestorError):
        known |= dict.fromkeys(load_settings(_path(context, "config"), _data(context)).profiles)
    head = f"{before}{comma}{begun[: len(begun) - len(begun.lstrip())]}"
    yield from (f"{head}{name}" for name in known if name.startswith(begun.lstrip()))


def users(context: typer.Context, incomplete: str) -> Iterator[str]:
    """The users that `nestor user` keeps."""
    from nestor.access.users import read_users  # noqa: PLC0415 -- pydantic
    from nestor.cli.places import load_settings  # noqa: PLC0415 -- pydantic and every room

    with suppress(NestorError):
        data = _data(context)
        place = load_settings(_path(context, "config"), data).access.users_file.path(data)
        yield from (user.name for user in read_users(place).values() if user.name.startswith(incomplete))


def _data(context: typer.Context) -> Path:
    return _path(context, "data") or DEFAULT_DATA


def _path(context: typer.Context, option: str) -> Path | None:
    given = context.params.get(option)
    return Path(given) if given else None
