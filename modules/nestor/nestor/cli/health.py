"""`nestor health`: whether the server here is healthy, for the health check of a container; `probe.py` does it."""

from pathlib import Path
from typing import Annotated

import typer

from nestor.cli import probe


def health(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]", help="The server, as http://127.0.0.1:9600. Left out, as the server of --data left word."
        ),
    ] = None,
    ready: Annotated[bool, typer.Option("--ready", help="Ask whether it issues, not only whether it lives.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", envvar="NESTOR_DATA", help="The directory of CA, ledger and users.")
    ] = None,
) -> int:
    """Say whether the server that runs here is healthy: exit code 0 if so, 1 if not, with a sentence that says why."""
    return probe.main(ready=ready, url=url, data=data)
