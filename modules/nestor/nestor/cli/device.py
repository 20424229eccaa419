"""`nestor device`: what a device of this server is told, and whether what it was told will work."""

import asyncio
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.output import show_findings
from nestor.cli.places import DEFAULT_DATA, TUTORIAL_DATA, ConfigOption, JsonOption
from nestor.errors import MaterialError, SettingsError
from nestor.model import Finding, Gravity

if TYPE_CHECKING:
    from nestor.app.authority import Source
    from nestor.device.plan import DPS, Bootstrap, Hub, Login
    from nestor.device.server import KnownServer

app = typer.Typer(help="The config.toml of a device: config writes one, check judges one.", no_args_is_help=True)

_CONFIG, _SCRIPT = 0o600, 0o700


class Way(StrEnum):
    """How a device authenticates to this server."""

    PASSWORD = "password"  # noqa: S105 -- a word of the command line
    BOOTSTRAP = "bootstrap"
    BOTH = "both"


class Identity(StrEnum):
    """What a device shows to IoT Hub and DPS."""

    EST = "est"
    KEY = "key"


DataOption = Annotated[
    Path | None, typer.Option("--data", envvar="NESTOR_DATA", help="The data directory of the server.", file_okay=False)
]
TutorialOption = Annotated[bool, typer.Option("--tutorial", help="The server is nestor serve --tutorial.")]
DevicePath = Annotated[
    str | None, typer.Option(help="Another path on the device than /var/aziot/..., which the lines show.")
]


@app.command("config")
def config(
    name: Annotated[str, typer.Argument(help="The device: its registration id in DPS, or its id in IoT Hub.")],
    auth: Annotated[Way, typer.Option(help="How it authenticates to this server.")] = Way.PASSWORD,
    user: Annotated[str | None, typer.Option(help="The user; by default named as the device.")] = None,
    password_from: Annotated[
        str | None, typer.Option(help="Where its password is: env:NAME or file:PATH. Left out, a placeholder.")
    ] = None,
    bootstrap_cert: DevicePath = None,
    bootstrap_key: DevicePath = None,
    id_scope: Annotated[str | None, typer.Option(help="Provision by the DPS of this id scope.")] = None,
    iothub_hostname: Annotated[str | None, typer.Option(help="Provision by hand, at this IoT Hub.")] = None,
    identity: Annotated[
        Identity, typer.Option(help="est: the device identity comes from here. key: IoT Hub or DPS knows a key.")
    ] = Identity.EST,
    device_key_from: Annotated[
        str | None, typer.Option(help="With --identity key, where that key is: env:NAME or file:PATH.")
    ] = None,
    edge_ca: Annotated[bool, typer.Option(help="Whether its Edge CA comes from here.")] = True,
    hostname: Annotated[str | None, typer.Option(help="The name under which others reach the device.")] = None,
    parent_hostname: Annotated[str | None, typer.Option(help="The device of the layer above.")] = None,
    threshold: Annotated[str | None, typer.Option(help="When to renew: 80%, 60min or 7day before the end.")] = None,
    retry: Annotated[str | None, typer.Option(help="How long to wait after a failure: 4%, 10min.")] = None,
    rotate_key: Annotated[bool, typer.Option("--rotate-key/--keep-key", help="A new key at each renewal.")] = True,
    label: Annotated[str | None, typer.Option(help="The label of this server to ask.")] = None,
    identity_label: Annotated[str | None, typer.Option(help="Another one for the device identity.")] = None,
    edge_ca_label: Annotated[str | None, typer.Option(help="Another one for the Edge CA.")] = None,
    url: Annotated[str | None, typer.Option(help="The URL by which the device reaches this server.")] = None,
    out: Annotated[Path | None, typer.Option(help="A new file for the config, mode 0600, instead of output.")] = None,
    script: Annotated[
        Path | None, typer.Option(help="A new file for a script that does everything on the device, mode 0700.")
    ] = None,
    tutorial: TutorialOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the config.toml of a device; on standard error, the lines that put it in place.

    Paste the blocks into /etc/aziot/config.toml and the lines into a shell there, or run the script there.
    """
    from nestor.app.device import unfilled, write_checked  # noqa: PLC0415 -- cryptography
    from nestor.app.known import server_for  # noqa: PLC0415 -- every room
    from nestor.device.plan import Plan, Renewing  # noqa: PLC0415 -- every room
    from nestor.device.renewal import USUAL  # noqa: PLC0415 -- every room
    from nestor.device.steps import script as whole_script  # noqa: PLC0415 -- every room
    from nestor.device.steps import steps  # noqa: PLC0415 -- every room

    if identity is Identity.KEY and not edge_ca:
        raise SettingsError("There is nothing left that would come from this server.", "Leave --no-edge-ca out.")
    server = server_for(_source(data, config, tutorial=tutorial), url)
    plan = Plan(
        device=name,
        url=_below(server.url, label),
        provisioning=_provisioning(id_scope, iothub_hostname),
        login=_login(auth, user, password_from, name=name, tutorial=tutorial),
        bootstrap=_bootstrap(auth, bootstrap_cert, bootstrap_key),
        device_key=_device_key(identity, device_key_from),
        edge_ca=edge_ca,
        identity_url=_below(server.url, identity_label) if identity_label else None,
        edge_ca_url=_below(server.url, edge_ca_label) if edge_ca_label else None,
        hostname=hostname,
        parent_hostname=parent_hostname,
        renewing=Renewing(threshold or USUAL["threshold"], retry or USUAL["retry"], rotate_key),
    )
    text = write_checked(plan)
    open_places = unfilled(text)
    if script is not None:
        if open_places:
            missing = ", ".join(open_places)
            raise SettingsError(f"A script has to be whole; {missing} would be missing.", "Give them as options.")
        _write_new(script, whole_script(plan, ca_pem=_pem(server), config=text), _SCRIPT)
        _say(f"{script} does everything; run it on {name}, and remove it: it may hold a password.")
        return
    _put_out(text, out)
    _say(steps(plan, ca_pem=_pem(server)).rstrip())
    if open_places:
        _say(f"# Still to be filled in: {', '.join(open_places)}")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A config.toml, of this machine or of another one.")],
    root: Annotated[
        Path | None, typer.Option(help="Where the files of the device lie, if not on this machine.", file_okay=False)
    ] = None,
    tutorial: TutorialOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Say what of a device's config.toml will not work, and why.

    With --data or --config, its requests are also tried against the rules of that server; nothing is issued.
    """
    from nestor.app.device import examine  # noqa: PLC0415 -- cryptography

    examined = examine(file, root)
    found = examined.findings
    consulted = tutorial or data is not None or config is not None
    if consulted and examined.config is not None:
        from nestor.app.rehearsal import consult  # noqa: PLC0415 -- every room

        source = _source(data, config, tutorial=tutorial)
        found = [*found, *asyncio.run(consult(examined.config, examined.disk, source))]
    code = show_findings(found, as_json=json)
    if examined.config is not None and examined.disk is None:
        _say("The files that it names were not looked at, for this is no device of IoT Edge (--root DIR).")
    if not consulted:
        _say("What a server says to it was not asked (--data DIR, --config FILE).")
    _say(_summary(file, found))
    return code


def _source(data: Path | None, config: Path | None, *, tutorial: bool) -> "Source":
    from nestor.app.authority import Source  # noqa: PLC0415 -- every room
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- every room
    from nestor.app.tutorial import tutorial_document  # noqa: PLC0415 -- every room
    from nestor.settings import judge, merge, read_document  # noqa: PLC0415 -- every room

    base = tutorial_document(("localhost",)) if tutorial else {}
    settings = judge(merge(base, read_document(config) if config else {}))
    place = data or (TUTORIAL_DATA if tutorial else DEFAULT_DATA)
    return Source(settings, place, SystemClock(), lambda _: None)


def _below(url: str, label: str | None) -> str:
    return url if label is None else f"{url.rstrip('/')}/{label}"


def _provisioning(id_scope: str | None, iothub_hostname: str | None) -> "DPS | Hub":
    from nestor.device.plan import DPS, Hub  # noqa: PLC0415 -- every room

    if iothub_hostname is None:
        return DPS() if id_scope is None else DPS(id_scope)
    if id_scope is not None:
        raise SettingsError("--id-scope and --iothub-hostname are two ways of provisioning.", "Give one of them.")
    return Hub(iothub_hostname)


def _login(auth: Way, user: str | None, password_from: str | None, *, name: str, tutorial: bool) -> "Login | None":
    """The user; the tutorial's, whose password is published, where nobody names another."""
    from nestor.app.tutorial import PASSWORD, USER  # noqa: PLC0415 -- every room
    from nestor.device.plan import Login  # noqa: PLC0415 -- every room

    if auth is Way.BOOTSTRAP:
        return None
    if password_from is not None:
        return Login(user or name, _secret("--password-from", password_from))
    return Login(USER, PASSWORD) if tutorial and user is None else Login(user or name)


def _bootstrap(auth: Way, certificate: str | None, key: str | None) -> "Bootstrap | None":
    from nestor.device.plan import BOOTSTRAP_CERTIFICATE, BOOTSTRAP_KEY, Bootstrap  # noqa: PLC0415 -- every room

    if auth is Way.PASSWORD:
        return None
    return Bootstrap(
        _on_device("--bootstrap-cert", certificate) or BOOTSTRAP_CERTIFICATE,
        _on_device("--bootstrap-key", key) or BOOTSTRAP_KEY,
    )


def _on_device(option: str, path: str | None) -> PurePosixPath | None:
    if path is not None and not path.startswith("/"):
        raise SettingsError(f"{option}: {path!r} is no whole path.", "Write it from the root: /var/aziot/...")
    return PurePosixPath(path) if path is not None else None


def _device_key(identity: Identity, key_from: str | None) -> str | None:
    from nestor.device.plan import DEVICE_KEY  # noqa: PLC0415 -- every room

    if identity is Identity.EST:
        return None
    return DEVICE_KEY if key_from is None else _secret("--device-key-from", key_from)


def _secret(option: str, text: str) -> str:
    """A secret that an option names. Raises SettingsError, MaterialError."""
    from nestor.document import Reference, parse_reference  # noqa: PLC0415 -- pydantic

    try:
        reference = parse_reference(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}.") from None
    return reference.read_text(Path()) if isinstance(reference, Reference) else ""


def _pem(server: "KnownServer") -> str | None:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    return None if server.root is None else server.root.public_bytes(Encoding.PEM).decode()


def _put_out(text: str, place: Path | None) -> None:
    if place is None:
        typer.echo(text, nl=False)
    else:
        _write_new(place, text, _CONFIG)
        _say(f"{place} holds the config.")


def _write_new(place: Path, text: str, mode: int) -> None:
    """Write a file that only its owner reads. Raises MaterialError where it is there already."""
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise MaterialError(f"{place} cannot be made: {error.strerror}.", "Choose a new file.") from error


def _summary(file: Path, findings: Sequence[Finding]) -> str:
    problems = sum(finding.gravity is Gravity.PROBLEM for finding in findings)
    warnings = sum(finding.gravity is Gravity.WARNING for finding in findings)
    if not problems and not warnings:
        return f"{file}: nothing is wrong with it."
    return f"{file}: {_counted(problems, 'problem')}, {_counted(warnings, 'warning')}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
