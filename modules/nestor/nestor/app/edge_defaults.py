"""What Nestor takes for granted where the IoT Edge runtime starts it, below all that anybody configures. Pure."""

from collections.abc import Mapping
from typing import Any

from nestor.app.names import is_server_name
from nestor.edge.identity import EdgeIdentity

_LOOPBACK = ("localhost", "127.0.0.1", "::1")

_LEVELS: Mapping[str, str] = {
    "trace": "debug",
    "verbose": "debug",
    "debug": "debug",
    "info": "info",
    "information": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "fatal",
    "fatal": "fatal",
}
"""The levels of the runtime, in the spellings of .NET and its loggers."""


def edge_defaults(identity: EdgeIdentity) -> dict[str, Any]:
    """The lowest layer of the settings of a module.

    It serves its whole container, whose ports the manifest opens. Devices know it by the name of the gateway, modules
    of the same device by its own.
    """
    names = dict.fromkeys(name for name in (identity.gateway, identity.module, *_LOOPBACK) if is_server_name(name))
    return {
        "listener": {"addresses": "*", "hostnames": ", ".join(names)},
        "operations": {"addresses": "*"},
        "log": {"format": "runtime", "level": log_level(identity.log_level)},
    }


def log_level(word: str) -> str:
    """The level that a word of the runtime stands for; info for one that it does not know either."""
    return _LEVELS.get(word.strip().casefold(), "info")


def metric_labels(identity: EdgeIdentity, instance: str) -> dict[str, str]:
    """What every series of a module is labeled with, as those of the runtime are; `instance` is new at each start."""
    return {
        "iothub": identity.hub,
        "edge_device": identity.device,
        "module_name": identity.module,
        "instance_number": instance,
    }
