"""`nestor cert revoke`: one certificate, or all that a device still has. Works beside a running server."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli import completion
from nestor.cli.cert import IDENTIFIER, find, open_for_command, short_serial
from nestor.cli.cert_comeback import ways_back
from nestor.cli.cert_list import pages
from nestor.cli.output import plain, show_rows
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, show_minute
from nestor.errors import MaterialError
from nestor.model import Entry, State


def revoke(
    identifier: Annotated[str | None, typer.Argument(help=IDENTIFIER)] = None,
    device: Annotated[
        str | None, typer.Option(help="Instead of one: all that are live of the devices of this pattern.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="With --device: only those of this profile.", autocompletion=completion.profiles),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")] = "unspecified",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --device: do not ask.")] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Revoke certificates. From the next request on they no longer authenticate to this server.

    IoT Hub and DPS do not know of it: disable the device there as well. With --device it says by which passwords and
    factory certificates the device has come, for it can come back by them.
    """
    if (identifier is None) == (device is None):
        raise typer.BadParameter("say which: a serial number or thumbprint, or --device.")
    if identifier is not None and (profile is not None or yes):
        raise typer.BadParameter("--profile and --yes go with --device.")
    entries: Sequence[Entry]
    if identifier is not None:
        entries = [asyncio.run(find(identifier, data, config))]
    else:
        entries = asyncio.run(_live(device or "", profile, data, config))
        if sys.stdin.isatty() and not yes:
            show_rows(("serial", "device", "profile", "valid until"), [_in_short(entry) for entry in entries])
            typer.confirm(f"Revoke {_number(entries)} of {device}?", abort=True, err=True)
    revoked = asyncio.run(_revoke(entries, reason, data, config))
    for entry in revoked:
        typer.echo(f"{entry.subject} (serial {entry.serial:x}) is revoked: {entry.revocation_reason}.", err=True)
    if device is not None:
        typer.echo(f"{device}: {_number(revoked)} revoked.", err=True)
        for sentence in asyncio.run(_ways_back(device, data, config)):
            typer.echo(plain(sentence), err=True)


async def _live(device: str, profile: str | None, data: Path, config: Path | None) -> Sequence[Entry]:
    """The certificates of devices that still authenticate. Raises MaterialError where there are none."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.ledger.listing import Selection  # noqa: PLC0415 -- SQLAlchemy

    selection = Selection(device=device, profile=profile, valid_at=SystemClock().now())
    async with open_for_command(data, config) as ledger:
        found = [entry async for entry in pages(ledger, selection) if entry.state is not State.REVOKED]
    if not found:
        kind = f" of profile {profile}" if profile else ""
        raise MaterialError(f"{device} has no live certificate{kind}.", "Look for it: nestor cert list --all.")
    return found


async def _ways_back(device: str, data: Path, config: Path | None) -> Sequence[str]:
    """What the devices have come by, and can come back by, the newest first."""
    from nestor.ledger.listing import Selection  # noqa: PLC0415 -- SQLAlchemy

    async with open_for_command(data, config) as ledger:
        return ways_back([entry async for entry in pages(ledger, Selection(device=device))], device)


async def _revoke(entries: Sequence[Entry], reason: str, data: Path, config: Path | None) -> Sequence[Entry]:
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    now = SystemClock().now()
    async with open_for_command(data, config) as ledger:
        return [await ledger.revoke(entry.sha256, reason, now) for entry in entries]


def _in_short(entry: Entry) -> tuple[str, ...]:
    return short_serial(entry), entry.device, entry.profile, show_minute(entry.not_after)


def _number(entries: Sequence[Entry]) -> str:
    return "1 certificate" if len(entries) == 1 else f"{len(entries)} certificates"
