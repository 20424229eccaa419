"""From what command line and environment say to the plan of a server and what lives beside it.

Its settings come from a file; or, where the IoT Edge runtime started it, from the module twin, laid over that file.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nestor import __version__
from nestor.app.clock import SystemClock
from nestor.app.edge_defaults import edge_defaults, metric_labels
from nestor.app.edge_host import edge_host
from nestor.app.house import House
from nestor.app.operations import Operations
from nestor.app.plan import Plan
from nestor.app.serving import Companion
from nestor.app.twin.host import Host, environment_document
from nestor.document import merge
from nestor.edge.identity import EdgeIdentity
from nestor.ops.damper import Damper
from nestor.ops.metrics import Metrics
from nestor.ports import Sink, tell
from nestor.settings import Settings, judge, read_document
from nestor.twin.kept import Origin


@dataclass(frozen=True, slots=True)
class Said:
    """What was said at the start: defaults, the file over them, options over everything; `identity` of a module."""

    base: Mapping[str, Any]
    config: Path | None
    over: Mapping[str, Any]
    data: Path
    identity: EdgeIdentity | None

    @property
    def defaults(self) -> dict[str, Any]:
        """What lies below everything."""
        if self.identity is None:
            return dict(self.base)
        return merge(merge(self.base, edge_defaults(self.identity)), environment_document())

    def document(self) -> Mapping[str, Any]:
        """The file, read again each time. Raises SettingsError."""
        return read_document(self.config) if self.config else {}

    def settings(self) -> Settings:
        """The settings without a twin. Raises SettingsError."""
        return judge(merge(merge(self.defaults, self.document()), self.over))


def assemble(
    said: Said,
    log: Sink,
    welcome: Callable[[House, Sequence[tuple[str, int]]], None],
    applied: Callable[[Settings], None],
) -> tuple[Plan, Sequence[Companion]]:
    """The plan, and what lives beside the server. Raises SettingsError for half the environment of a module."""
    clock = SystemClock()
    identity = said.identity
    metrics = Metrics(__version__, metric_labels(identity, str(uuid.uuid4())) if identity else {})
    sinks: list[Sink] = [Damper(log, clock.monotonic), metrics]
    files = [said.config] if said.config else []
    plan = Plan(said.settings, files, said.data, sinks, welcome, applied, clock)
    companions = [Operations(metrics, said.data).operations]
    if identity is None:
        return plan, companions
    from nestor.app.module import Module  # noqa: PLC0415 -- for modules alone

    module = Module(identity, host_of(said, identity), clock, partial(tell, sinks))
    sinks.extend(module.sinks)
    wishes = module.wishes
    plan = replace(
        plan,
        settings=wishes.settings,
        waiting=wishes.waiting,
        fallback=wishes.fallback,
        edge=edge_host(identity),
    )
    return plan, [*companions, module.module]


def host_of(said: Said, identity: EdgeIdentity) -> Host:
    """What the host of a module says beside its twin."""
    origin = Origin(identity.hub, identity.device, identity.module, identity.generation)
    return Host(said.data, origin, said.defaults, said.document, said.over)
