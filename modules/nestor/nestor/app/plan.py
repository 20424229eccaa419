"""What a server is to be. Somebody at the command line makes one; everything else follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nestor.app.edge_host import EdgeHost
from nestor.app.house import House
from nestor.errors import NestorError
from nestor.ports import Clock, Sink
from nestor.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server is to be: where its settings come from, where its data lives, who hears of it.

    `applied` hears of settings that have come into force, for what else follows them: the log. `waiting` says why
    nothing is issued by these settings yet; `fallback` by which ones to wait, and why, where nothing can be built from
    these at the start. `edge` is the IoT Edge host, where Nestor runs as its module.
    """

    settings: Callable[[], Settings]
    files: Sequence[Path]
    data: Path
    sinks: Sequence[Sink]
    welcome: Callable[[House, Sequence[tuple[str, int]]], None]
    applied: Callable[[Settings], None]
    clock: Clock
    waiting: Callable[[], NestorError | None] = lambda: None
    fallback: Callable[[NestorError], tuple[Settings, NestorError] | None] = lambda _: None
    edge: EdgeHost | None = None
