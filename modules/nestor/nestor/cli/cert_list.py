"""`nestor cert list`: find certificates in the ledger, read them on a terminal, or take them all away as CSV or JSON.

Entries go out page by page, so that a ledger of any size can be exported while the server runs.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.app.record import Search, Wanted, selection_of, state_of
from nestor.cli import completion
from nestor.cli.cert import hex_digits, open_for_command, record_of, short_serial
from nestor.cli.output import on_terminal, show_rows, stream_csv, stream_json
from nestor.cli.places import (
    DEFAULT_DATA,
    ConfigOption,
    DataOption,
    JsonOption,
    read_duration,
    show_minute,
    show_time,
)
from nestor.model import Entry

if TYPE_CHECKING:
    from nestor.ledger.listing import Selection
    from nestor.ledger.sqlite import SQLiteLedger

_COLUMNS = ("serial", "device", "profile", "state", "issued", "valid until", "by", "from")
_NARROW = ("serial", "device", "profile", "state", "valid until")
_PAGE, _SCREENFUL = 500, 100


def list_certificates(
    device: Annotated[str, typer.Option(help="Only device ids that match this pattern: gw3, line1-*.")] = "*",
    serial: Annotated[str | None, typer.Option(help="Only this serial number, in hex, or that begins so.")] = None,
    thumbprint: Annotated[
        str | None, typer.Option(help="Only this SHA-1 or SHA-256 thumbprint, in hex, or that begins so.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Only this profile.", autocompletion=completion.profiles)] = None,
    state: Annotated[Wanted | None, typer.Option(help="Only in this state.")] = None,
    expiring_in: Annotated[str | None, typer.Option(help="Only those that expire within: 12h, 7d ...")] = None,
    asked_by: Annotated[str, typer.Option(help="Only those asked for by users or devices of this pattern.")] = "*",
    every: Annotated[bool, typer.Option("--all", help="Expired ones too, as where one is named.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, help="At most so many, the newest; 100 on a terminal, else all."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Everything about each, as CSV with a heading.")] = False,
) -> None:
    """List certificates, the newest first. With --json or --csv, everything about each."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    if json and csv:
        raise typer.BadParameter("one form at a time: --json or --csv.")
    now = SystemClock().now()
    search = Search(
        device=device,
        asked_by=asked_by,
        serial="" if serial is None else hex_digits(serial),
        thumbprint="" if thumbprint is None else hex_digits(thumbprint),
        profile=profile,
        state=state,
        expiring_in=None if expiring_in is None else read_duration("--expiring-in", expiring_in),
        every=every,
    )
    selection = selection_of(search, now)
    table = not (json or csv) and on_terminal()
    most = limit or (_SCREENFUL if table else None)

    async def show() -> None:
        async with open_for_command(data, config) as ledger:
            found = pages(ledger, selection, most)
            if json:
                await stream_json(record_of(entry, now) async for entry in found)
            elif csv:
                await stream_csv(record_of(entry, now) async for entry in found)
            else:
                rows = [_row(entry, now, brief=table) async for entry in found]
                show_rows(_COLUMNS, rows, narrow=_NARROW)
                if table and len(rows) == most:
                    typer.echo(f"The newest {most}; --limit shows more.", err=True)

    asyncio.run(show())


async def pages(ledger: "SQLiteLedger", selection: "Selection", most: int | None = None) -> AsyncIterator[Entry]:
    """The entries that fit, newest first, read page by page."""
    after, left = None, most
    while left is None or left > 0:
        page: Sequence[Entry] = await ledger.page(selection, after_id=after, limit=min(_PAGE, left or _PAGE))
        for entry in page:
            yield entry
        if not page:
            return
        after, left = page[-1].id, None if left is None else left - len(page)


def _row(entry: Entry, now: datetime, *, brief: bool) -> tuple[str, ...]:
    written = show_minute if brief else show_time
    return (
        short_serial(entry) if brief else f"{entry.serial:x}",
        entry.device,
        entry.profile,
        state_of(entry, now),
        written(entry.issued_at),
        written(entry.not_after),
        f"{entry.method} {entry.requester}",
        entry.address,
    )
