"""`nestor ledger`: what an operator may have to tell the ledger that it cannot know by itself."""

import asyncio

import typer

from nestor.cli.cert import open_for_command
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption

app = typer.Typer(help="The ledger itself: accept-clock, adopt, start-over.", no_args_is_help=True)


@app.command("accept-clock")
def accept_clock(data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Take this host's clock for right. Certificates were issued at a later time than it shows now.

    Nestor stops issuing when its clock shows an earlier time than that of its newest certificate. Where the clock was
    ahead for a while and has been put right, this says so; a running server resumes within half a minute.
    """
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.ca.clock_guard import check_plausible  # noqa: PLC0415 -- only now

    now = SystemClock().now()
    check_plausible(now)

    async def write() -> None:
        async with open_for_command(data, config) as ledger:
            await ledger.reset_clock_floor(now)

    asyncio.run(write())
    typer.echo(f"The clock is right: it is {now:%Y-%m-%d %H:%M} UTC.", err=True)
