"""`nestor cert issue`: what the operator issues on the host, one or many, beside a running server or not."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.host import make_ready
from nestor.cli.passphrase import read_passphrase
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, JsonOption, load_settings, read_duration
from nestor.cli.progress import progress
from nestor.events import Event, Trouble
from nestor.model import KeyType

if TYPE_CHECKING:
    from nestor.app.authority import Source
    from nestor.app.batch import Outcome
    from nestor.app.production import Production

_FILES = {".pem", ".crt", ".cer"}


def issue(
    out: Annotated[Path, typer.Option(help="The directory for what is issued; for one, also a file: gw3.pem.")],
    name: Annotated[str | None, typer.Argument(help="The device, for one certificate.")] = None,
    csr: Annotated[Path | None, typer.Option(help="Its request, PEM or DER. Left out, its key is made here.")] = None,
    listed: Annotated[
        Path | None, typer.Option("--from", help="A CSV for many: name, csr, profile, alternativeNames.")
    ] = None,
    csrs: Annotated[Path | None, typer.Option(help="A directory of requests for many: *.csr, *.pem, *.der.")] = None,
    profile: Annotated[str, typer.Option(help="What to issue, where a row does not say it.")] = "bootstrap",
    lifetime: Annotated[str | None, typer.Option(help="How long it is good, in place of the profile's: 90d.")] = None,
    alternative_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A DNS name, IP address, URI or mail address for one; repeat it."),
    ] = None,
    key_type: Annotated[KeyType | None, typer.Option(help="The kind of key to make; else the profile's.")] = None,
    key_passphrase: Annotated[
        str | None, typer.Option(help="What encrypts the keys that are made: env:NAME, file:PATH, or ask.")
    ] = None,
    chain: Annotated[bool, typer.Option("--chain", help="Put the CA certificates behind each, the root last.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Issue also where a device is live by another key or credential.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Issue certificates at the host: bootstrap certificates for a factory, or any other profile.

    A batch that was broken off is started again with the same words: it issues nothing twice, and completes its files.
    """
    from nestor.app.batch import Wishes  # noqa: PLC0415 -- every room
    from nestor.app.production import Production  # noqa: PLC0415 -- every room
    from nestor.cli.cert_items import Asked  # noqa: PLC0415 -- every room

    asked = Asked(name, csr, tuple(alternative_name or ()), listed, csrs)
    asked.check(out, keys=key_type is not None or key_passphrase is not None)
    items = asked.items(profile)
    secret = key_passphrase and read_passphrase(
        "--key-passphrase", key_passphrase, about="Passphrase for the keys", twice=True
    )
    only = out if name is not None and out.suffix.lower() in _FILES and not out.is_dir() else None
    run = Production(
        items=items,
        directory=only.absolute().parent if only else out,
        profile=profile,
        wishes=Wishes(key_type, secret, replace),
        only=only,
        report=name is None,
        chain=chain,
        lifetime=None if lifetime is None else read_duration("--lifetime", lifetime),
    )
    source = _source(data, config)
    return _many(source, run, len(items), as_json=json) if name is None else _one(source, run, as_json=json)


def _one(source: "Source", run: "Production", *, as_json: bool) -> int:
    from nestor.app.production import produce  # noqa: PLC0415 -- every room
    from nestor.cli.cert_outcome import show_one  # noqa: PLC0415 -- every room

    outcomes: list[Outcome] = []
    asyncio.run(produce(source, run, outcomes.append))
    return show_one(outcomes[0], as_json=as_json)


def _many(source: "Source", run: "Production", total: int, *, as_json: bool) -> int:
    from nestor.app.production import produce  # noqa: PLC0415 -- every room
    from nestor.cli.cert_outcome import Tally, say  # noqa: PLC0415 -- every room

    tally = Tally()
    try:
        with progress("Certificates", total) as step:

            def told(outcome: "Outcome") -> None:
                tally.add(outcome)
                step()

            asyncio.run(produce(source, run, told))
    except BaseException:
        if tally.done:
            say(f"{tally.done:,} of {total:,} are done; the same command goes on from there.")
        raise
    return tally.show(run.directory, as_json=as_json)


def _source(data: Path, config: Path | None) -> "Source":
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now

    return make_ready(Source(load_settings(config, data), data, SystemClock(), _warn))


def _warn(event: Event) -> None:
    if isinstance(event, Trouble):
        typer.echo(f"warning: {event.sentence}", err=True)
