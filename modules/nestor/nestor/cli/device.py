"""`nestor device`: what a device of this server is told, and whether what it was told will work."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestor.cli.device_plan import (
    AuthOption,
    BootstrapCertOption,
    BootstrapKeyOption,
    DeviceKeyOption,
    EdgeCALabelOption,
    EdgeCAOption,
    HostnameOption,
    HubOption,
    Identity,
    IdentityLabelOption,
    IdentityOption,
    IdScopeOption,
    LabelOption,
    NameArgument,
    ParentOption,
    PasswordOption,
    RetryOption,
    RotateOption,
    ThresholdOption,
    UserOption,
    Way,
    bootstrap_of,
    device_key_of,
    login_of,
    provisioning_of,
    renewing_of,
    url_below,
)
from nestor.cli.exits import told_as_misuse
from nestor.cli.output import show_findings
from nestor.cli.places import DEFAULT_DATA, TUTORIAL_DATA, ConfigOption, JsonOption
from nestor.errors import MaterialError, SettingsError
from nestor.finding import Finding, Gravity

if TYPE_CHECKING:
    from nestor.app.authority import Source
    from nestor.device.plan import Plan
    from nestor.device.server import KnownServer

app = typer.Typer(help="The config.toml of a device: config writes one, check judges one.", no_args_is_help=True)

_CONFIG, _SCRIPT = 0o600, 0o700

DataOption = Annotated[
    Path | None, typer.Option("--data", envvar="NESTOR_DATA", help="The data directory of the server.", file_okay=False)
]
TutorialOption = Annotated[bool, typer.Option("--tutorial", help="The server is nestor serve --tutorial.")]
URLOption = Annotated[str | None, typer.Option("--url", help="The URL by which the device reaches the server.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="A new file for the config, mode 0600.")]
ScriptOption = Annotated[
    Path | None,
    typer.Option("--script", help="A new file instead, mode 0700: a script that does everything on the device."),
]


@app.command("config")
def config(
    name: NameArgument,
    auth: AuthOption = Way.PASSWORD,
    user: UserOption = None,
    password_from: PasswordOption = None,
    bootstrap_cert: BootstrapCertOption = None,
    bootstrap_key: BootstrapKeyOption = None,
    id_scope: IdScopeOption = None,
    iothub_hostname: HubOption = None,
    identity: IdentityOption = Identity.EST,
    device_key_from: DeviceKeyOption = None,
    edge_ca: EdgeCAOption = True,
    hostname: HostnameOption = None,
    parent_hostname: ParentOption = None,
    threshold: ThresholdOption = None,
    retry: RetryOption = None,
    rotate_key: RotateOption = True,
    label: LabelOption = None,
    identity_label: IdentityLabelOption = None,
    edge_ca_label: EdgeCALabelOption = None,
    url: URLOption = None,
    out: OutOption = None,
    script: ScriptOption = None,
    tutorial: TutorialOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the config.toml of a device; on standard error, the lines that put it in place.

    Paste the blocks into /etc/aziot/config.toml and the lines into a shell there, or run the script there.
    """
    from nestor.app.known import server_for  # noqa: PLC0415 -- every room
    from nestor.device.plan import Plan  # noqa: PLC0415 -- pydantic

    server = server_for(_source(data, config, tutorial=tutorial), url)
    with told_as_misuse():
        plan = Plan(
            device=name,
            url=url_below(server.url, label),
            provisioning=provisioning_of(id_scope, iothub_hostname),
            login=login_of(auth, name, user, password_from, tutorial=tutorial),
            bootstrap=bootstrap_of(auth, bootstrap_cert, bootstrap_key),
            device_key=device_key_of(identity, device_key_from, edge_ca=edge_ca),
            edge_ca=edge_ca,
            identity_url=url_below(server.url, identity_label) if identity_label else None,
            edge_ca_url=url_below(server.url, edge_ca_label) if edge_ca_label else None,
            hostname=hostname,
            parent_hostname=parent_hostname,
            renewing=renewing_of(threshold, retry, rotate_key=rotate_key),
        )
        _put_out(plan, server, out, script)


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
    from nestor.document import merge  # noqa: PLC0415 -- every room
    from nestor.settings import judge, read_document  # noqa: PLC0415 -- every room

    base = tutorial_document(("localhost",)) if tutorial else {}
    settings = judge(merge(base, read_document(config) if config else {}))
    place = data or (TUTORIAL_DATA if tutorial else DEFAULT_DATA)
    return Source(settings, place, SystemClock(), lambda _: None)


def _put_out(plan: "Plan", server: "KnownServer", out: Path | None, script: Path | None) -> None:
    """Put a plan out: as blocks, and lines beside them, or as a script, which has to be whole."""
    from nestor.app.device import unfilled, write_checked  # noqa: PLC0415 -- cryptography
    from nestor.device.steps import script_for, steps_for  # noqa: PLC0415 -- pydantic

    text, root = write_checked(plan), _pem(server)
    missing = ", ".join(unfilled(text))
    if script is not None:
        if missing:
            raise SettingsError(f"A script has to be whole; {missing} would be missing.", "Give them as options.")
        _write_new(script, script_for(plan, root, text), _SCRIPT)
        _say(f"{script} does everything on {plan.device}; remove it afterwards, for it may hold a password.")
        return
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write_new(out, text, _CONFIG)
        _say(f"{out} holds the config.")
    _say(steps_for(plan, root).rstrip())
    if missing:
        _say(f"# Still to be filled in: {missing}")


def _pem(server: "KnownServer") -> str | None:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    return None if server.root is None else server.root.public_bytes(Encoding.PEM).decode()


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
