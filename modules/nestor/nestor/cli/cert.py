"""`nestor cert`: one certificate of the ledger, what was refused, how many. Works beside a running server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.app.record import hex_digits as plain_hex
from nestor.app.record import state_of
from nestor.cli.output import on_terminal, show_fields, show_json, show_rows
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings, show_minute, show_time
from nestor.errors import MaterialError
from nestor.model import Entry

if TYPE_CHECKING:
    from nestor.ledger.sqlite import SQLiteLedger

app = typer.Typer(help="Certificates: issue, list, show, revoke.", no_args_is_help=True)

_FEWEST_DIGITS = 6
_SHORT = 10
IDENTIFIER = "Serial number, or SHA-1 or SHA-256 thumbprint, in hex; its first digits will do, 6 at least."


@app.command("show")
def show(
    identifier: Annotated[str, typer.Argument(help=IDENTIFIER)],
    pem: Annotated[bool, typer.Option("--pem", help="Print the certificate itself.")] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show everything about one certificate. Its thumbprints are written as Azure's portal shows them."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    if pem and json:
        raise typer.BadParameter("one form at a time: --pem or --json.")
    entry = asyncio.run(find(identifier, data, config))
    if pem:
        from cryptography import x509  # noqa: PLC0415 -- only now
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

        typer.echo(x509.load_der_x509_certificate(entry.der).public_bytes(Encoding.PEM).decode(), nl=False)
    else:
        record = record_of(entry, SystemClock().now())
        show_fields({name: value for name, value in record.items() if value}, as_json=json)


@app.command("refusals")
def refusals(
    limit: Annotated[int, typer.Option(metavar="NUMBER", min=1, help="At most so many, the newest.")] = 50,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the requests that were refused last, and why."""
    written = show_minute if on_terminal() and not json else show_time

    async def read() -> Sequence[tuple[str, ...]]:
        async with open_for_command(data, config) as ledger:
            return [
                (written(item.at), item.address, item.requester, item.subject, item.sentence, item.request_id)
                for item in await ledger.refusals(limit)
            ]

    columns = ("at", "from", "by", "subject", "why", "request")
    show_rows(columns, asyncio.run(read()), as_json=json, narrow=columns[:-1])


@app.command("count")
def count(data: DataOption = DEFAULT_DATA, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Count what was issued, refused, adopted and revoked. By profile and by reason, since the ledger was made."""

    async def read() -> Mapping[str, Mapping[str, int] | int]:
        async with open_for_command(data, config) as ledger:
            return asdict(await ledger.counters())

    counted = asyncio.run(read())
    if json:
        show_json(counted)
    else:
        show_rows(("what", "which", "how many"), list(_counted(counted)))


@asynccontextmanager
async def open_for_command(data: Path, config: Path | None) -> AsyncIterator["SQLiteLedger"]:
    """The ledger of a data directory, while a command needs it. Raises MaterialError where there is none."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.app.directory import check_directory  # noqa: PLC0415 -- every room
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- only now
    from nestor.ledger.opening import open_ledger  # noqa: PLC0415 -- only now

    check_directory(data)
    check_not_interrupted(data)
    ledger = open_ledger(load_settings(config, data).ledger, data, create=False, clock=SystemClock())
    try:
        yield ledger
    finally:
        await ledger.close()


async def find(identifier: str, data: Path, config: Path | None) -> Entry:
    """The one certificate that a person means. Raises MaterialError, BadParameter."""
    async with open_for_command(data, config) as ledger:
        return await _found(ledger, identifier)


async def _found(ledger: "SQLiteLedger", identifier: str) -> Entry:
    """The entry that a person means, by all digits or by the first ones. Raises MaterialError, BadParameter."""
    from nestor.ledger.listing import Selection  # noqa: PLC0415 -- SQLAlchemy

    digits = hex_digits(identifier)
    named = await ledger.certificates_of_serial(int(digits, 16))
    if not named and len(digits) in {40, 64}:
        entry = await ledger.find_thumbprint(bytes.fromhex(digits))
        named = [entry] if entry else []
    if len(named) > 1:
        prints = ", ".join(entry.sha256.hex() for entry in named)
        raise typer.BadParameter(f"certificates of several issuers have this serial number; name one of {prints}.")
    if named:
        return named[0]
    found: dict[int, Entry] = {}
    if len(digits) >= _FEWEST_DIGITS:
        for way in (Selection(serial=digits), Selection(sha256=digits)):
            found |= {entry.id: entry for entry in await ledger.page(way, limit=2)}
        # A SHA-1 is not kept, and looking at all of them takes its time: not where so many digits are no accident.
        if not found or len(digits) < _SHORT:
            found |= {entry.id: entry for entry in await ledger.page(Selection(thumbprint=digits), limit=2)}
    if len(found) > 1:
        raise typer.BadParameter(f"more than one certificate begins with {digits}; give more digits.")
    if not found:
        raise MaterialError(f"The ledger has no certificate {identifier}.", "Look for it: nestor cert list --all.")
    return next(iter(found.values()))


def hex_digits(identifier: str) -> str:
    """A serial number or thumbprint in plain hex. Raises BadParameter."""
    try:
        return plain_hex(identifier)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


def short_serial(entry: Entry) -> str:
    """So many digits of a serial number as fit a table, and name it for every command."""
    return f"{entry.serial:x}"[:_SHORT]


def _counted(counters: Mapping[str, Mapping[str, int] | int]) -> Iterator[tuple[str, str, str]]:
    for what, counted in counters.items():
        by_name = {"": counted} if isinstance(counted, int) else counted
        yield from ((what, which, str(number)) for which, number in by_name.items())


def record_of(entry: Entry, now: datetime) -> dict[str, str]:
    """Everything about a certificate, by the words of every listing; empty where there is nothing to tell."""
    return {
        "subject": entry.subject,
        "device": entry.device,
        "serial": f"{entry.serial:x}",
        "SHA-1": hashlib.sha1(entry.der, usedforsecurity=False).hexdigest().upper(),
        "SHA-256": entry.sha256.hex().upper(),
        "profile": entry.profile,
        "label": entry.label,
        "state": state_of(entry, now),
        "valid from": show_time(entry.not_before),
        "valid until": show_time(entry.not_after),
        "issued": show_time(entry.issued_at),
        "method": entry.method.value,
        "asked for by": entry.requester,
        "first onboarded by": entry.origin.value,
        "from": entry.address,
        "authenticated with": entry.via.hex().upper() if entry.via else "",
        "forwarded by": entry.forwarder or "",
        "request": entry.request_id,
        "adopted": show_time(entry.adopted_at) if entry.adopted_at else "",
        "revoked": show_time(entry.revoked_at) if entry.revoked_at else "",
        "reason": entry.revocation_reason or "",
    }
