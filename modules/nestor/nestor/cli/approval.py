"""`nestor approval`: what waits for an operator's word, and that word. Works beside a running server."""

import asyncio
import os
import pwd
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nestor.app.approvals import Listed, listed
from nestor.approval import Approval, ApprovalState, verdict
from nestor.cli.cert import open_for_command
from nestor.cli.output import on_terminal, show_rows
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings, show_minute, show_time

app = typer.Typer(help="Requests that wait for your approval: list, approve, deny.", no_args_is_help=True)

_COLUMNS = (
    *("id", "device", "profile", "by", "from", "key", "first asked", "last asked", "requests"),
    *("live certificates", "takes over from", "competes with"),
)
_NARROW = ("id", "device", "profile", "by", "from", "takes over from", "competes with")
_MORE = ("state", "subject", "alternative names", "label", "until", "decided", "decided by")
_SHORT, _FEWEST_DIGITS = 16, 6

_Identifier = Annotated[str, typer.Argument(help="As `nestor approval list` shows it; its first digits will do.")]
_By = Annotated[str | None, typer.Option(help="Who decides; this host's user, if left out.")]


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Also what was approved or denied of late.")] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List what waits for approval, the oldest first. What competes wants the same device by other means."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    async def read() -> Sequence[Listed]:
        async with open_for_command(data, config) as ledger:
            return await listed(ledger, SystemClock().now(), every=every)

    brief = on_terminal() and not json
    columns = _COLUMNS if brief and not every else (*_COLUMNS, *_MORE)
    rows = [_row(one, brief=brief) for one in asyncio.run(read())]
    show_rows(columns, [row[: len(columns)] for row in rows], as_json=json, narrow=(*_NARROW, *_MORE[:1] * every))


@app.command()
def approve(
    identifier: _Identifier, by: _By = None, data: DataOption = DEFAULT_DATA, config: ConfigOption = None
) -> None:
    """Approve a request: its next try gets the certificate, once. Look first who asks, from where.

    While several want the same device, none of them can be approved: deny the wrong ones first.
    """
    one = asyncio.run(_decide(identifier, ApprovalState.APPROVED, by, data, config))
    typer.echo(f"{one.id} is approved: one {one.profile} for {_told(one)}, until {show_time(one.until)}.", err=True)
    if one.takes_over_from:
        typer.echo(
            f"{one.device} has live certificates that it got by {one.takes_over_from}. Revoke what is lost:"
            f" nestor cert revoke --device {one.device}",
            err=True,
        )


@app.command()
def deny(identifier: _Identifier, by: _By = None, data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Deny a request: it is refused for an hour, or what approval.waitsFor says. Takes back what was not used yet."""
    one = asyncio.run(_decide(identifier, ApprovalState.DENIED, by, data, config))
    typer.echo(f"{one.id} is denied: one {one.profile} for {_told(one)}, until {show_time(one.until)}.", err=True)


async def _decide(identifier: str, state: ApprovalState, by: str | None, data: Path, config: Path | None) -> Approval:
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.registrar.approval import build_limits  # noqa: PLC0415 -- only now

    limits = build_limits(load_settings(config, data).approval)
    said = verdict(state, f"command line, {by or _user()}", SystemClock().now(), limits)
    async with open_for_command(data, config) as ledger:
        return await ledger.decide(_meant(identifier, await ledger.approvals(said.at)), said)


def _meant(identifier: str, there: Sequence[Approval]) -> str:
    """The id that a person means by its first digits, six at least, or by all. Raises BadParameter for several."""
    digits = identifier.lower()
    found = [one.id for one in there if len(digits) >= _FEWEST_DIGITS and one.id.startswith(digits)]
    if len(found) > 1:
        raise typer.BadParameter(f"more than one request begins with {digits}; give more digits.")
    return found[0] if found else identifier


def _told(approval: Approval) -> str:
    return f"{approval.device}, asked for by {approval.asked_by} from {approval.address}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def _row(one: Listed, *, brief: bool) -> tuple[str | int, ...]:
    approval = one.approval
    written = show_minute if brief else show_time
    key = approval.spki_sha256.hex()
    return (
        approval.id,
        approval.device,
        approval.profile,
        approval.asked_by,
        approval.address,
        key[:_SHORT] if brief else key,
        written(approval.asked_at),
        written(approval.last_asked_at),
        approval.requests,
        one.live,
        approval.takes_over_from,
        ", ".join(rival.id for rival in one.rivals),
        approval.state.value,
        approval.subject,
        approval.alternative_names,
        approval.label,
        written(approval.until),
        _or_nothing(approval.decided_at),
        approval.decided_by,
    )


def _or_nothing(moment: datetime | None) -> str:
    return "" if moment is None else show_time(moment)
