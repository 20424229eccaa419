"""`nestor ca seal`, `recover` and `unseal`: what guards the CA's key, changed while the CA stays the same."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.host import make_keyring
from nestor.cli.passphrase import read_passphrase
from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption, load_settings

if TYPE_CHECKING:
    from nestor.app.authority import Source
    from nestor.ca.issuer import Issuer

RecoveryOption = Annotated[
    str | None,
    typer.Option(
        "--recovery", help="Where the recovery passphrase is: env:NAME, file:PATH or ask; keys.recovery by default."
    ),
]


def seal(recovery: RecoveryOption = None, data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Let the IoT Edge runtime seal the CA's key, so that its file is of no use elsewhere; in the module's container.

    A key that is sealed already is sealed anew, so that the recovery passphrase of now opens it.
    """
    from nestor.app.resealing import seal_ca  # noqa: PLC0415 -- every room

    source = _source(data, config)
    secret = _passphrase(source, recovery, twice=True)
    _told("sealed", asyncio.run(seal_ca(source, make_keyring(), secret)))
    typer.echo("Older copies of its file, in backups and on the disk, hold it as it was before.", err=True)


def recover(recovery: RecoveryOption = None, data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Bring the CA back whose sealing key is gone: by the recovery passphrase, sealed anew; in the module's container.

    The key that seals is gone when the module was made anew, when keyd's keys were deleted, and on another host.
    """
    from nestor.app.resealing import recover_ca  # noqa: PLC0415 -- every room

    source = _source(data, config)
    _told("sealed", asyncio.run(recover_ca(source, make_keyring(), _passphrase(source, recovery))))


def unseal(recovery: RecoveryOption = None, data: DataOption = DEFAULT_DATA, config: ConfigOption = None) -> None:
    """Keep the CA's key in a file that opens without the IoT Edge runtime; with --recovery, anywhere."""
    from nestor.app.resealing import unseal_ca  # noqa: PLC0415 -- every room

    source = _source(data, config)
    secret = None if recovery is None else _passphrase(source, recovery)
    _told("no longer sealed", asyncio.run(unseal_ca(source, make_keyring(), secret)))


def _source(data: Path, config: Path | None) -> "Source":
    from nestor.app.authority import Source, check_made  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.replacing import check_not_interrupted  # noqa: PLC0415 -- every room

    check_not_interrupted(data)
    source = Source(load_settings(config, data), data, SystemClock(), lambda _: None)
    check_made(source)
    return source


def _passphrase(source: "Source", named: str | None, *, twice: bool = False) -> str:
    if named is None:
        return source.recovery
    return read_passphrase("--recovery", named, about="Recovery passphrase", twice=twice)


def _told(how: str, issuer: "Issuer") -> None:
    name = issuer.certificate.subject.rfc4514_string()
    typer.echo(f"The key of {name} is {how}. SHA-256 of the CA: {issuer.fingerprint.upper()}", err=True)
    typer.echo("A server that runs takes it up within half a minute.", err=True)
