"""`nestor ledger adopt` and `start-over`: let a ledger learn certificates that it does not know (design D23)."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.exits import OK, REFUSED, Misuse, told_as_misuse
from nestor.cli.output import show_rows
from nestor.cli.places import (
    DEFAULT_DATA,
    ConfigOption,
    DataOption,
    JsonOption,
    load_settings,
    read_duration,
    read_time,
    show_time,
)
from nestor.errors import MaterialError

if TYPE_CHECKING:
    from nestor.adoption import Adoption
    from nestor.app.adopt import Fate
    from nestor.app.authority import Source

_WORDS = ("number", "since", "until", "good until", "state", "adopted", "denied")
_MORE = ("opened", "profile")
_FATES = ("subject", "serial", "device", "profile", "outcome")


def adopt(
    certificates: Annotated[  # the text says what they are: typer would name their type
        list[Path] | None, typer.Argument(metavar="FILE", hidden=True)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Of certificates issued from then on: when the backup was made.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Of certificates issued up to then; now, if left out.")] = None,
    for_: Annotated[str, typer.Option("--for", help="How long such certificates are taken in when presented.")] = "30d",
    deny: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Never adopt this device id, serial number or thumbprint. Repeat it."),
    ] = None,
    deny_from: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Never adopt what a line of this file names.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="What a certificate becomes that several profiles could have made.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End what was allowed before, at once.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List what was ever allowed, and what came of it.")] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Let devices renew whose certificates a restored ledger does not know.

    With --since, a certificate that this CA issued itself in that period is taken into the ledger when its device
    presents it, for 30 days unless --for says otherwise; a running server does so at once. Never what was revoked or is
    denied. With files of PEM certificates, those are taken in now, one by one.
    """
    source = _source(data, config)
    denied = [*(deny or ()), *_lines(deny_from or ())]
    _check_one_wish([bool(certificates), since is not None, end, list_, bool(denied) and since is None])
    if list_:
        _list(source, as_json=json)
    elif end:
        _end(source)
    elif certificates:
        return _adopt_at_hand(source, certificates, profile, as_json=json)
    elif since is None:
        _deny(source, denied)
    else:
        moment = None if until is None else read_time("--until", until)
        _open(source, read_time("--since", since), moment, read_duration("--for", for_), profile, denied)
    return OK


def start_over(data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Make an empty ledger in place of one that is lost for good, where no backup is left.

    Every device is a stranger then, until its certificate is adopted: nestor ledger adopt. Revocations stay, as far as
    revocations.log has them. A running server takes the ledger up within half a minute.
    """
    from nestor.app.adopt import start_over as run  # noqa: PLC0415 -- every room

    asyncio.run(run(_source(data, config)))
    typer.echo("There is a new ledger, and it knows nobody. Next: nestor ledger adopt --since TIME.", err=True)


def _list(source: "Source", *, as_json: bool) -> None:
    from nestor.app.adopt import all_words  # noqa: PLC0415 -- every room

    columns = (*_WORDS, *_MORE) if as_json else _WORDS
    rows = [_row(word, number, is_open=good) for word, number, good in asyncio.run(all_words(source))]
    show_rows(columns, [row[: len(columns)] for row in rows], as_json=as_json)


def _end(source: "Source") -> None:
    from nestor.app.adopt import end_words  # noqa: PLC0415 -- every room

    typer.echo(f"Ended: {asyncio.run(end_words(source))}.", err=True)


def _adopt_at_hand(source: "Source", files: Sequence[Path], profile: str | None, *, as_json: bool) -> int:
    from nestor.app.adopt import adopt_at_hand  # noqa: PLC0415 -- every room

    fates = asyncio.run(adopt_at_hand(source, files, profile))
    show_rows(_FATES, [_fate_row(fate) for fate in fates], as_json=as_json)
    return OK if all(fate.entry for fate in fates) else REFUSED


def _deny(source: "Source", names: Sequence[str]) -> None:
    from nestor.app.adopt import deny  # noqa: PLC0415 -- every room

    asyncio.run(deny(source, names))
    typer.echo(f"Never to be adopted: {', '.join(names)}.", err=True)


def _open(
    source: "Source",
    since: datetime,
    until: datetime | None,
    good_for: timedelta,
    profile: str | None,
    denied: Sequence[str],
) -> None:
    from nestor.app.adopt import Wish, open_word  # noqa: PLC0415 -- every room

    with told_as_misuse():
        word = asyncio.run(open_word(source, Wish(since, until, good_for, profile, denied)))
    typer.echo(
        f"Adoption {word.id}: certificates issued from {show_time(word.since)} to {show_time(word.until)} are taken in "
        f"when they are presented, until {show_time(word.ends_at)}.",
        err=True,
    )
    typer.echo("End it earlier: nestor ledger adopt --end. What came of it: nestor ledger adopt --list.", err=True)


def _check_one_wish(wishes: Sequence[bool]) -> None:
    if sum(wishes) != 1:
        raise Misuse(
            "One of these is needed, and one only: --since TIME, certificate files, --deny alone, --end, --list.",
            "nestor ledger adopt --help",
        )


def _source(data: Path, config: Path | None) -> "Source":
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room

    return Source(load_settings(config, data), data, SystemClock(), lambda _: None)


def _lines(files: Sequence[Path]) -> Iterator[str]:
    """What the lines of files name; empty lines and comments are passed over."""
    for file in files:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MaterialError(f"--deny-from: {file} cannot be read as text.", "Check path and mode.") from error
        yield from (line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _row(word: "Adoption", adopted: int, *, is_open: bool) -> tuple[str, ...]:
    return (
        str(word.id),
        show_time(word.since),
        show_time(word.until),
        show_time(word.ended_at or word.ends_at),
        "open" if is_open else "ended",
        str(adopted),
        ", ".join(sorted(word.denied)),
        show_time(word.opened_at),
        word.profile or "",
    )


def _fate_row(fate: "Fate") -> tuple[str, ...]:
    entry = fate.entry
    if entry is None:
        return fate.subject, "", "", "", fate.why
    return fate.subject, f"{entry.serial:x}", entry.device, entry.profile, "adopted"
