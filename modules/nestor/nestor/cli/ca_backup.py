"""`nestor ca backup` and `nestor ca restore`: one sealed file, and the way back from it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.exits import Misuse
from nestor.cli.host import make_keyring, make_ready
from nestor.cli.output import show_fields
from nestor.cli.passphrase import ASK, PassphraseOption, read_passphrase
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings

if TYPE_CHECKING:
    from nestor.backup.manifest import Part
    from nestor.events import Event

_PARTS = "ca, ledger, users or files"


def backup(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is never overwritten.")],
    passphrase: PassphraseOption = ASK,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Take the CA's key along although it lives outside the data directory.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put CA, ledger, users and configuration into one encrypted file; also while the server runs.

    The file is in the age format around a tar.gz: `age -d FILE | tar tz` opens it too. Revocations outlive it in
    revocations.log: keep a copy of that file, too.
    """
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.backup import Wish, check_possible, make_backup  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.resealing import is_sealed_ca  # noqa: PLC0415 -- every room
    from nestor.app.restored import about  # noqa: PLC0415 -- every room
    from nestor.app.seals import check_recovery  # noqa: PLC0415 -- every room

    source = Source(load_settings(config, data), data, SystemClock(), _warn)
    wish = Wish(make_ready(source, spare=True), config, out, with_key)
    check_possible(wish)
    manifest = make_backup(
        wish, read_passphrase("--passphrase", passphrase, about="Passphrase of the backup", twice=True)
    )
    show_fields({"file": str(out), **about(manifest)}, as_json=json)
    for path in manifest.left_out:
        typer.echo(f"Not in the backup, because it lives elsewhere: {path}", err=True)
    if manifest.ca.key and is_sealed_ca(source):
        typer.echo("The CA key in it is sealed: on another host it takes the recovery passphrase as well.", err=True)
        asyncio.run(check_recovery(source, make_keyring()))


def restore(
    file: Annotated[Path, typer.Argument(help="A file that nestor ca backup wrote.")],
    passphrase: PassphraseOption = ASK,
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help=f"Move aside what is there of this part and differs: {_PARTS}. Repeat it."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help=f"Leave what is there of this part and differs: {_PARTS}. Repeat it."),
    ] = None,
    revocations: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A revocations.log that survived elsewhere. Repeat it.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonOption = False,
) -> None:
    """Put a data directory together again from a backup, while no server has it.

    Everything is checked first; what is there is moved aside, never deleted, and only where you say so.
    """
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.restore import Wish  # noqa: PLC0415 -- every room
    from nestor.app.restore import restore as run  # noqa: PLC0415 -- every room
    from nestor.app.restored import done, next_steps  # noqa: PLC0415 -- every room

    wish = Wish(file, data, _parts("--replace", replace), _parts("--keep", keep), tuple(revocations or ()))
    secret = read_passphrase("--passphrase", passphrase, about="Passphrase of the backup")
    outcome = asyncio.run(run(wish, secret, SystemClock(), make_keyring()))
    show_fields(done(outcome), as_json=json)
    for number, step in enumerate(next_steps(outcome), 1):
        typer.echo(f"{number}. {step}", err=True)


def _warn(event: "Event") -> None:
    from nestor.events import Trouble  # noqa: PLC0415 -- cryptography

    if isinstance(event, Trouble) and event.about == "recovery":
        typer.echo(f"warning: {event.sentence}", err=True)


def _parts(option: str, words: Sequence[str] | None) -> "frozenset[Part]":
    from nestor.backup.manifest import Part  # noqa: PLC0415 -- pydantic

    try:
        return frozenset(map(Part, words or ()))
    except ValueError:
        raise Misuse(f"{option}: a part of a data directory is {_PARTS}.") from None
