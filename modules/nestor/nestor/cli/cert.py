"""`nestor cert`: one certificate of the ledger, revoking it, and what was refused. Works beside a running server."""

import asyncio
import hashlib
import string
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.output import show_fields, show_json, show_rows
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings, show_time
from nestor.errors import MaterialError
from nestor.model import Entry

if TYPE_CHECKING:
    from nestor.ledger.sqlite import SQLiteLedger

app = typer.Typer(help="Certificates: issue, list, show, revoke.", no_args_is_help=True)

Identifier = Annotated[str, typer.Argument(help="Serial number, or SHA-1 or SHA-256 thumbprint, in hex.")]


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
        show_fields({name: value for name, value in record_of(entry).items() if value}, as_json=json)


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
    """Count what was issued by profile, refused by reason, and revoked, as JSON."""

    async def read() -> Mapping[str, object]:
        async with open_for_command(data, config) as ledger:
            counters = await ledger.counters()
            return {"issued": counters.issued, "refused": counters.refused, "revoked": counters.revoked}

    show_json(asyncio.run(read()))


@asynccontextmanager
async def open_for_command(data: Path, config: Path | None) -> AsyncIterator["SQLiteLedger"]:
    """The ledger of a data directory, while a command needs it. Raises MaterialError where there is none."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.ledger.opening import open_ledger  # noqa: PLC0415 -- only now

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
    digits = hex_digits(identifier)
    entry = await ledger.find_thumbprint(bytes.fromhex(digits)) if len(digits) in {40, 64} else None
    entry = entry or await ledger.find_serial(int(digits, 16))
    if entry is None:
        raise MaterialError(f"The ledger has no certificate {identifier}.", "Look for it: nestor cert list --all.")
    return entry


def hex_digits(identifier: str) -> str:
    """A serial number or thumbprint as portals and tools write it, in plain hex. Raises MaterialError."""
    digits = identifier.replace(":", "").replace(" ", "").lower().removeprefix("0x")
    if not digits or set(digits) - set(string.hexdigits):
        raise MaterialError(f"{identifier} is neither a serial number nor a thumbprint.", "Write it in hex.")
    return digits


def record_of(entry: Entry) -> dict[str, str]:
    """Everything about a certificate, by the words of every listing; empty where there is nothing to tell."""
    return {
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
        "revoked": show_time(entry.revoked_at) if entry.revoked_at else "",
        "reason": entry.revocation_reason or "",
    }
