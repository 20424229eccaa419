"""Where things are: the data directory and the configuration file, as every command takes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.edge.identity import read_identity, storage_of

if TYPE_CHECKING:
    from nestor.settings import Settings

DEFAULT_DATA = storage_of() or Path("nestor-data")
TUTORIAL_DATA = Path("nestor-tutorial")

DataOption = Annotated[
    Path, typer.Option("--data", envvar="NESTOR_DATA", help="The directory of CA, ledger and users.", file_okay=False)
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", envvar="NESTOR_CONFIG", help="The configuration: a TOML or JSON file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def read_duration(option: str, text: str) -> timedelta:
    """The duration that an option gives. Raises BadParameter with the name of the option."""
    from nestor.document import parse_duration  # noqa: PLC0415 -- pydantic

    try:
        length = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint=option) from None
    return length if isinstance(length, timedelta) else timedelta()


def read_time(option: str, text: str) -> datetime:
    """The moment that an option gives. Raises BadParameter with the name of the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is no time with its zone: write it like 2026-08-01T02:30:00Z.", param_hint=option
        )
    return moment.astimezone(UTC)


def show_time(moment: datetime) -> str:
    """A moment as every command writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def show_minute(moment: datetime) -> str:
    """A moment in a table for people, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M")


def load_settings(config: Path | None, data: Path) -> "Settings":
    """The settings of a configuration file, or the defaults; within a module, those of its twin over them."""
    from nestor.settings import judge, read_document  # noqa: PLC0415 -- pydantic and every room

    identity = read_identity()
    if identity is None:
        return judge(read_document(config) if config else {})
    from nestor.app.startup import Said, host_of  # noqa: PLC0415 -- for modules alone
    from nestor.app.twin.standing import standing_settings  # noqa: PLC0415 -- for modules alone

    return standing_settings(host_of(Said({}, config, {}, data, identity), identity))
