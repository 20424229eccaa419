"""`nestor serve`: the EST server, from a configuration file, from the tutorial's settings, or with safe defaults."""

import asyncio
import resource
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nestor.cli.exits import LOST, code_of
from nestor.cli.places import DEFAULT_DATA, TUTORIAL_DATA, ConfigOption
from nestor.errors import CannotGoOn, NestorError

if TYPE_CHECKING:
    from nestor.app.house import House

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_TUTORIAL_NAMES = ("localhost", "ip6-localhost", "127.0.0.1", "::1")
_EVERYWHERE = "*"


def serve(
    config: ConfigOption = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            envvar="NESTOR_DATA",
            help="The directory of CA, ledger and users.",
            file_okay=False,
            readable=False,
        ),
    ] = None,
    tutorial: Annotated[
        bool, typer.Option("--tutorial", help="The settings of Microsoft's EST tutorial. For tests only.")
    ] = False,
    hostname: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            envvar="NESTOR_HOSTNAME",
            help="A name or IP address by which devices reach this server; repeat it.",
        ),
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="An address to listen on, * for all; repeat it. By default loopback, or all with --hostname.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65_535, help="The TCP port; 8085 by default.")
    ] = None,
) -> None:
    """Serve EST until told to stop. SIGHUP reads the settings again; SIGTERM finishes what is being served.

    Options go over the configuration file, and the file over the tutorial's settings. Where the IoT Edge runtime
    starts it, the module twin goes over the file, within what the host allows.
    """
    from nestor.app.serving import serve as run  # noqa: PLC0415 -- every room
    from nestor.app.startup import Said, assemble  # noqa: PLC0415 -- every room
    from nestor.app.tutorial import prepare_tutorial  # noqa: PLC0415 -- every room
    from nestor.app.watchman import Watchman  # noqa: PLC0415 -- only now
    from nestor.edge.identity import read_identity, storage_of  # noqa: PLC0415 -- only now
    from nestor.ops.log import log_event, set_up_log  # noqa: PLC0415 -- only now
    from nestor.settings import judge  # noqa: PLC0415 -- every room

    place = data or (TUTORIAL_DATA if tutorial else storage_of() or DEFAULT_DATA)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the CA key
    _check_names(hostname or ())
    watchman = Watchman(log_event, lost=LOST)
    watchman.start()  # before any other thread
    base, over = layers(
        hostname or (), listen or (), port, tutorial=tutorial, machine=_machine(), shut_in=_in_container()
    )
    said = Said(base, config, over, place, None if tutorial else read_identity())
    set_up_log(judge(said.defaults).log)  # for what is wrong with the settings
    if tutorial:
        prepare_tutorial(place)
    with _told_in_the_log():
        set_up_log(said.settings().log)  # for what the start has to tell
        plan, companions = assemble(
            said,
            log_event,
            welcome=lambda house, addresses: _welcome(house, addresses, place, tutorial=tutorial),
            applied=lambda applied: set_up_log(applied.log),
        )
        asyncio.run(run(plan, watchman, companions))


@contextmanager
def _told_in_the_log() -> Iterator[None]:
    """Where machines read the log, what ends a server is a line of it; elsewhere, two lines for people."""
    from nestor.events import Trouble  # noqa: PLC0415 -- cryptography
    from nestor.ops.log import is_for_people, log_event  # noqa: PLC0415 -- only now

    try:
        yield
    except NestorError as fault:
        if is_for_people():
            raise
        if not isinstance(fault, CannotGoOn):  # which the server has told
            log_event(Trouble("start", fault.text, fault.__cause__))
        raise typer.Exit(code_of(fault)) from fault


def layers(
    hostnames: Sequence[str],
    addresses: Sequence[str],
    port: int | None,
    *,
    tutorial: bool,
    machine: Sequence[str],
    shut_in: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What lies below the configuration file, and what the options lay over it.

    A name for the network opens the server to the network, as a container does, unless somebody says another address.
    """
    from nestor.app.tutorial import tutorial_document  # noqa: PLC0415 -- every room
    from nestor.document import merge  # noqa: PLC0415 -- every room

    usual = (*_TUTORIAL_NAMES, *machine) if tutorial else _LOOPBACK_NAMES
    base = tutorial_document(usual) if tutorial else {}
    if hostnames or shut_in:
        base = merge(base, {"listener": {"addresses": _EVERYWHERE}})
    if shut_in:
        base = merge(base, {"operations": {"addresses": _EVERYWHERE}})
    over: dict[str, Any] = {}
    if hostnames:
        over["hostnames"] = _joined((*hostnames[:1], *usual, *hostnames))
    if addresses:
        over["addresses"] = _joined(addresses)
    if port is not None:
        over["port"] = port
    return base, {"listener": over} if over else {}


def _joined(words: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _check_names(hostnames: Sequence[str]) -> None:
    from nestor.app.trial import is_server_name  # noqa: PLC0415 -- every room

    for name in hostnames:
        if not is_server_name(name):
            raise typer.BadParameter(f"{name!r} is no host name and no IP address.", param_hint="--hostname")


def _machine() -> Sequence[str]:
    """The name of this machine, where others could use it."""
    from nestor.app.trial import is_server_name  # noqa: PLC0415 -- every room

    return [name for name in (socket.gethostname(),) if is_server_name(name)]


_MARKS_OF_CONTAINERS = ("/.dockerenv", "/run/.containerenv", "/opt/nestor/sbom.json")
"""Docker's, Podman's, and that of our image, for engines that leave none."""


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in _MARKS_OF_CONTAINERS)


def _welcome(house: "House", addresses: Sequence[tuple[str, int]], data: Path, *, tutorial: bool) -> None:
    """Tell that the server is up: people in lines, machines in events of the log."""
    from nestor.app.tutorial import published_login  # noqa: PLC0415 -- every room
    from nestor.app.welcome import as_events, tutorial_welcome, welcome  # noqa: PLC0415 -- every room
    from nestor.ops.log import log_event  # noqa: PLC0415 -- only now
    from nestor.ops.settings import LogFormat  # noqa: PLC0415 -- pydantic

    if house.settings.log.format is not LogFormat.TEXT:
        for event in as_events(house, addresses, data, tutorial=tutorial):
            log_event(event)
    elif tutorial:
        typer.echo(tutorial_welcome(house, addresses, data, published_login(house.settings, data)))
    else:
        typer.echo(welcome(house, addresses, data))
