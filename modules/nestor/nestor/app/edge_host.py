"""The IoT Edge host that runs this module: what its runtime does for Nestor, and the name that devices know it by."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from nestor.app.trial import is_server_name
from nestor.edge.identity import EdgeIdentity
from nestor.ports import Runtime, Sealer


@dataclass(frozen=True, slots=True)
class EdgeHost:
    """The runtime by its two ports; `name` is the gateway host name of this device.

    `parent` is the host name of the device above, empty at the top; `audience` what a token of this module is good for.
    `reserved` are the names of this server and of its parent, which stay theirs whatever any settings say.
    """

    name: str
    runtime: Runtime
    sealer: Sealer
    parent: str = ""
    audience: str = ""
    reserved: Sequence[str] = ()


def edge_host(identity: EdgeIdentity | None) -> EdgeHost | None:
    """The host of a module; None for a process that IoT Edge did not start."""
    if identity is None:
        return None
    from nestor.edge.sealing import RuntimeSealer  # noqa: PLC0415 -- aiohttp's client, for modules alone
    from nestor.edge.workload import WorkloadAPI  # noqa: PLC0415 -- the same

    workload = WorkloadAPI(identity)
    known = (identity.gateway, identity.module, identity.parent)
    audience = f"{identity.hub}/devices/{quote(identity.device)}/modules/{quote(identity.module)}"
    return EdgeHost(
        identity.gateway,
        workload,
        RuntimeSealer(workload),
        parent=identity.parent,
        audience=audience,
        reserved=[*filter(is_server_name, known)],
    )
