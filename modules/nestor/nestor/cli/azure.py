"""`nestor ca azure`: the lines of the Azure CLI that make a CA known to DPS or IoT Hub, ready to paste. Asks nobody.

DPS is told of the CA that issues here, because this is the one whose key is at hand to prove.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nestor.cli.places import DEFAULT_DATA, ConfigOption, DataOption

_CERTIFICATE, _PROOF = "nestor-ca.pem", "nestor-proof.pem"


@dataclass(frozen=True, slots=True)
class Service:
    """Where in Azure a CA is to be known: `az iot dps` or `az iot hub`, and the options that name the place."""

    command: str
    place: str

    def line(self, verb: str, *options: str) -> str:
        """One line of `az` about certificates of this service."""
        return " ".join([f"az {self.command} certificate {verb} {self.place}", *options])


def azure(
    resource_group: Annotated[str, typer.Option("--resource-group", "-g", help="The resource group.")],
    dps: Annotated[str | None, typer.Option(help="The Device Provisioning Service that is to know the CA.")] = None,
    hub: Annotated[str | None, typer.Option(help="The IoT Hub that is to know the CA.")] = None,
    name: Annotated[str, typer.Option(help="What the CA is to be called there.")] = "nestor-ca",
    group: Annotated[
        str | None, typer.Option(help="With --dps: the enrollment group to make for the devices of this CA.")
    ] = None,
    offline_root: Annotated[
        Path | None, typer.Option(help="Make the root known instead, whose key was left in this directory.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    config: ConfigOption = None,
) -> None:
    """Print the `az` lines that make the CA known to DPS or IoT Hub.

    They upload it, prove that its key is here, and with --group let its devices in.
    """
    if (dps is None) == (hub is None):
        raise typer.BadParameter("the CA is made known to one service at a time: --dps NAME or --hub NAME.")
    if hub is not None and group is not None:
        raise typer.BadParameter(
            "enrollment groups are of DPS: give --dps NAME instead of --hub.", param_hint="--group"
        )
    place = f"--resource-group {shlex.quote(resource_group)}"
    if dps is not None:
        service = Service("iot dps", f"--dps-name {shlex.quote(dps)} {place}")
    else:
        service = Service("iot hub", f"--hub-name {shlex.quote(hub or '')} {place}")
    where = f" --data {shlex.quote(str(data))}" + (f" --config {shlex.quote(str(config))}" if config else "")
    for line in lines(service, shlex.quote(name), group, offline_root, where):
        typer.echo(line)


def lines(service: Service, name: str, group: str | None, offline_root: Path | None, where: str) -> Iterator[str]:
    """The script: export, upload, ask for a code, prove, verify, and make the group. `name` and `where` are quoted."""
    called = f"--name {name}"
    signed_by = f" --offline-root {shlex.quote(str(offline_root))}" if offline_root else ""
    etag = f"etag=$({service.line('show', called, '--query etag --output tsv')})"
    asked = service.line("generate-verification-code", called, '--etag "$etag"')
    yield f"nestor ca export {'--root' if offline_root else '--issuer'} --out {_CERTIFICATE}{where}"
    yield service.line("create", called, f"--path {_CERTIFICATE}")
    yield etag
    yield f"code=$({asked} --query properties.verificationCode --output tsv)"
    yield f'nestor ca prove "$code" --out {_PROOF}{signed_by}{where}'
    yield etag
    yield service.line("verify", called, f"--path {_PROOF}", '--etag "$etag"')
    if group is not None:
        chosen = f"--enrollment-id {shlex.quote(group)} --root-ca-name {name} --edge-enabled true"
        yield f"az iot dps enrollment-group create {service.place} {chosen}"
