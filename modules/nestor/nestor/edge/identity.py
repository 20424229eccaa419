"""What the IoT Edge runtime tells a module about itself, by environment variables. Read once, at the start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nestor.errors import SettingsError

_MARK = "IOTEDGE_WORKLOADURI"
_NEEDED = {
    "hub": "IOTEDGE_IOTHUBHOSTNAME",
    "device": "IOTEDGE_DEVICEID",
    "module": "IOTEDGE_MODULEID",
    "generation": "IOTEDGE_MODULEGENERATIONID",
    "gateway": "IOTEDGE_GATEWAYHOSTNAME",
    "workload": _MARK,
    "api_version": "IOTEDGE_APIVERSION",
}


@dataclass(frozen=True, slots=True)
class EdgeIdentity:
    """This module, as the runtime knows it.

    `gateway` is the host name of this device, by which its children know it; `parent` that of the device above,
    empty at the top; `workload` the URI of the workload API; `generation` changes when the module is made anew;
    `log_level` is that of the runtime, in its spelling.
    """

    hub: str
    device: str
    module: str
    generation: str
    gateway: str
    workload: str
    api_version: str
    parent: str = ""
    log_level: str = ""


def read_identity(environment: Mapping[str, str] = os.environ) -> EdgeIdentity | None:  # noqa: TID251
    """This module's identity; None where no IoT Edge runtime started it. Raises SettingsError for half of one."""
    if not environment.get(_MARK):
        return None
    told = {name: environment.get(variable, "") for name, variable in _NEEDED.items()}
    missing = [_NEEDED[name] for name, value in told.items() if not value]
    if missing:
        raise SettingsError(
            f"The environment is half that of an IoT Edge module: {', '.join(missing)} is not set.",
            f"Let the runtime start the module; elsewhere, unset {_MARK}.",
        )
    return EdgeIdentity(
        **told,
        parent=environment.get("IOTEDGE_PARENTHOSTNAME", ""),
        log_level=environment.get("RuntimeLogLevel", ""),
    )


def storage_of(environment: Mapping[str, str] = os.environ) -> Path | None:  # noqa: TID251
    """Nestor's place in the storage that the host gives a module, by the runtime's convention; None without one."""
    storage = environment.get("storageFolder")
    return Path(storage) / "nestor" if storage else None
