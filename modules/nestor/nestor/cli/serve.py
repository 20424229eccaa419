"""`nestor serve`: the EST server, from a configuration file, from the tutorial's settings, or with safe defaults."""

import asyncio
import resource
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nestor.cli.places import DEFAULT_DATA, TUTORIAL_DATA, ConfigOption

if TYPE_CHECKING:
    from nestor.app.house import House
    from nestor.settings import Settings

_TUTORIAL_NAMES = ("localhost", "ip6-localhost", "127.0.0.1", "::1")
_EVERYWHERE = "*"


def serve(
    config: ConfigOption = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="NESTOR_DATA", help="The directory of CA, ledger and users.", file_okay=False),
    ] = None,
    tutorial: Annotated[
        bool, typer.Option("--tutorial", help="The settings of Microsoft's EST tutorial. For tests only.")
    ] = False,
    hostname: Annotated[
        list[str] | None,
        typer.Option(
            envvar="NESTOR_HOSTNAME", help="A name or IP address by which devices reach this server; repeat it."
        ),
    ] = None,
    listen: Annotated[
        list[str] | None, typer.Option(help="An address to listen on; loopback unless told otherwise. Repeat it.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="The TCP port.")] = None,
) -> None:
    """Serve EST until told to stop. SIGHUP reads the settings again; SIGTERM finishes what is being served."""
    from nestor.app.clock import SystemClock  # noqa: PLC0415 -- only now
    from nestor.app.server import Plan  # noqa: PLC0415 -- every room
    from nestor.app.server import serve as run  # noqa: PLC0415 -- every room
    from nestor.ops.damper import Damper  # noqa: PLC0415 -- only now
    from nestor.ops.log import log_event, set_up_log  # noqa: PLC0415 -- only now

    place = data or (TUTORIAL_DATA if tutorial else DEFAULT_DATA)
    said = _options(hostname or (), listen or (), port)
    settings = _reader(config, place, said, tutorial=tutorial)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the CA key
    set_up_log(settings().log)  # for what the start has to tell
    clock = SystemClock()
    plan = Plan(
        settings=settings,
        files=[config] if config else [],
        data=place,
        sinks=[Damper(log_event, clock.monotonic)],
        welcome=lambda house, addresses: typer.echo(_welcome(house, addresses, place, tutorial=tutorial)),
        applied=lambda applied: set_up_log(applied.log),
        clock=clock,
    )
    asyncio.run(run(plan))


def _reader(config: Path | None, data: Path, said: dict[str, Any], *, tutorial: bool) -> Callable[[], "Settings"]:
    """How to read the settings, now and again: the tutorial's or the defaults, the file over them, options over all."""
    from nestor.app.tutorial import prepare_tutorial, tutorial_document  # noqa: PLC0415 -- every room
    from nestor.settings import judge, merge, read_document  # noqa: PLC0415 -- every room

    base: dict[str, Any] = {}
    if tutorial:
        prepare_tutorial(data)
        base = tutorial_document(_names(said))

    def read() -> "Settings":
        return judge(merge(merge(base, read_document(config) if config else {}), said))

    return read


def _options(hostnames: Sequence[str], addresses: Sequence[str], port: int | None) -> dict[str, Any]:
    """What the options say, as a patch of the document. A name given for the network opens it to the network."""
    listener: dict[str, Any] = {}
    if hostnames:
        listener |= {"hostnames": ", ".join(dict.fromkeys((*hostnames, "localhost", "127.0.0.1", "::1")))}
    if addresses or hostnames or _in_container():
        listener |= {"addresses": ", ".join(addresses) or _EVERYWHERE}
    if port is not None:
        listener |= {"port": port}
    return {"listener": listener} if listener else {}


def _names(said: dict[str, Any]) -> list[str]:
    """The tutorial's names, and the machine's; names that were given stand in the patch."""
    given = said.get("listener", {}).pop("hostnames", "")
    more = [name.strip() for name in given.split(",") if name.strip()]
    return list(dict.fromkeys((*more[:1], *_TUTORIAL_NAMES, socket.gethostname(), *more)))


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def _welcome(house: "House", addresses: Sequence[tuple[str, int]], data: Path, *, tutorial: bool) -> str:
    from nestor.app import tutorial as settings_of_tutorial  # noqa: PLC0415 -- every room
    from nestor.app.welcome import tutorial_welcome, welcome  # noqa: PLC0415 -- every room

    if not tutorial:
        return welcome(house, addresses, data)
    credentials = (settings_of_tutorial.USER, settings_of_tutorial.PASSWORD)
    return tutorial_welcome(
        house, addresses, data, credentials if credentials[0] in house.settings.access.users else None
    )
