"""`nestor cert`: the ledger as an operator reads it, and revoking. Works beside a running server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.output import show_fields, show_json, show_rows
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
from nestor.model import Entry, State

if TYPE_CHECKING:
    from nestor.ledger.sqlite import SQLiteLedger

app = typer.Typer(help="The certificates that were issued: list, show, revoke.", no_args_is_help=True)

_COLUMNS = ("serial", "device", "profile", "state", "issued", "expires", "by", "from")
_PAGE = 500
Identifier = Annotated[str, typer.Argument(help="Serial number, or SHA-1 or SHA-256 thumbprint, in hex.")]


@app.command("list")
def list_certificates(
    device: Annotated[str, typer.Option(help="Only device ids that match this pattern: gw3, line1-*.")] = "*",
    profile: Annotated[str | None, typer.Option(help="Only this profile.")] = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    expiring_in: Annotated[str | None, typer.Option(help="Only those that expire within: 12h, 7d ...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Expired ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List certificates, the newest first."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.ledger.listing import Selection  # noqa: PLC0415 -- SQLAlchemy

    now = SystemClock().now()
    selection = Selection(
        device=device,
        profile=profile,
        state=state,
        valid_at=None if every else now,
        expiring_before=None if expiring_in is None else now + read_duration("--expiring-in", expiring_in),
    )

    async def read() -> Sequence[Entry]:
        found: list[Entry] = []
        async with open_for_command(data, config) as ledger:
            while len(found) < limit:
                after = found[-1].id if found else None
                page = await ledger.page(selection, after_id=after, limit=min(_PAGE, limit - len(found)))
                found.extend(page)
                if not page:
                    break
        return found

    show_rows(_COLUMNS, [_row(entry) for entry in asyncio.run(read())], as_json=json)


@app.command("show")
def show(
    identifier: Identifier,
    pem: Annotated[bool, typer.Option("--pem", help="Print the certificate itself.")] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show everything about one certificate; its thumbprints are written as Azure's portal shows them."""
    entry = asyncio.run(_find(identifier, data, config))
    if pem:
        from cryptography import x509  # noqa: PLC0415 -- only now
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

        typer.echo(x509.load_der_x509_certificate(entry.der).public_bytes(Encoding.PEM).decode(), nl=False)
    else:
        show_fields(_fields(entry), as_json=json)


@app.command("revoke")
def revoke(
    identifier: Identifier,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")] = "unspecified",
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Revoke a certificate: from the next request on it no longer authenticates to this server.

    IoT Hub and DPS do not know of it: disable the device there as well.
    """
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    async def write() -> Entry:
        async with open_for_command(data, config) as ledger:
            entry = await _found(ledger, identifier)
            return await ledger.revoke(entry.sha256, reason, SystemClock().now())

    entry = asyncio.run(write())
    typer.echo(f"{entry.subject} (serial {entry.serial:x}) is revoked: {entry.revocation_reason}.", err=True)


@app.command("refusals")
def refusals(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the requests that were refused last, and why."""

    async def read() -> Sequence[tuple[str, ...]]:
        async with open_for_command(data, config) as ledger:
            return [
                (show_time(item.at), item.address, item.requester, item.subject, item.sentence, item.request_id)
                for item in await ledger.refusals(limit)
            ]

    show_rows(("at", "from", "by", "subject", "why", "request"), asyncio.run(read()), as_json=json)


@app.command("count")
def count(data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Count what was issued by profile, refused by reason, adopted by word, and revoked, as JSON."""

    async def read() -> Mapping[str, object]:
        async with open_for_command(data, config) as ledger:
            return asdict(await ledger.counters())

    show_json(asyncio.run(read()))


@asynccontextmanager
async def open_for_command(data: Path, config: Path | None) -> AsyncIterator["SQLiteLedger"]:
    """The ledger of a data directory, while a command needs it. Raises MaterialError where there is none."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- only now
    from nestor.ledger.opening import open_ledger  # noqa: PLC0415 -- only now

    check_not_interrupted(data)
    ledger = open_ledger(load_settings(config).ledger, data, create=False, clock=SystemClock())
    try:
        yield ledger
    finally:
        await ledger.close()


async def _find(identifier: str, data: Path, config: Path | None) -> Entry:
    async with open_for_command(data, config) as ledger:
        return await _found(ledger, identifier)


async def _found(ledger: "SQLiteLedger", identifier: str) -> Entry:
    """The entry that a person means: thumbprints have their lengths, all else is a serial number."""
    digits = identifier.replace(":", "").replace(" ", "").lower().removeprefix("0x")
    try:
        thumbprint = bytes.fromhex(digits) if len(digits) in {40, 64} else None
        serial = int(digits, 16)
    except ValueError:
        raise MaterialError(f"{identifier} is neither a serial number nor a thumbprint.", "Write it in hex.") from None
    entry = await ledger.find_thumbprint(thumbprint) if thumbprint else None
    entry = entry or await ledger.find_serial(serial)
    if entry is None:
        raise MaterialError(f"The ledger has no certificate {identifier}.", "Look for it: nestor cert list --all.")
    return entry


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        f"{entry.serial:x}",
        entry.device,
        entry.profile,
        entry.state.value,
        show_time(entry.issued_at),
        show_time(entry.not_after),
        f"{entry.method} {entry.requester}",
        entry.address,
    )


def _fields(entry: Entry) -> dict[str, str]:
    fields = {
        "subject": entry.subject,
        "device": entry.device,
        "serial": f"{entry.serial:x}",
        "SHA-1": hashlib.sha1(entry.der, usedforsecurity=False).hexdigest().upper(),
        "SHA-256": entry.sha256.hex().upper(),
        "profile": entry.profile,
        "label": entry.label,
        "state": entry.state.value,
        "valid from": show_time(entry.not_before),
        "valid until": show_time(entry.not_after),
        "issued": show_time(entry.issued_at),
        "asked for by": f"{entry.method} {entry.requester}",
        "first onboarded by": entry.origin.value,
        "from": entry.address,
        "authenticated with": entry.via.hex().upper() if entry.via else "",
        "request": entry.request_id,
    }
    if entry.adopted_at is not None:
        fields |= {"adopted": show_time(entry.adopted_at)}
    if entry.revoked_at is not None:
        fields |= {"revoked": show_time(entry.revoked_at), "reason": entry.revocation_reason or ""}
    return {name: value for name, value in fields.items() if value}
