"""The names under which a device and its parent are reached, and the name of its Edge CA. Pure.

Modules and children compare these names in TLS, and look up a chain by the names in it: two that are equal, and
should not be, break both.
"""

import ipaddress
from collections.abc import Iterator

from nestor.device.config import DeviceConfig
from nestor.device.findings import problem, warning
from nestor.finding import Finding

_TOO_LONG = 64


def check_names(config: DeviceConfig) -> Iterator[Finding]:
    """What is wrong with hostname, parent_hostname and the name of the Edge CA."""
    yield from _check_hostname(config)
    yield from _check_parent(config)
    yield from _check_edge_ca(config)


def _check_hostname(config: DeviceConfig) -> Iterator[Finding]:
    name = config.hostname
    if name is None:
        return
    if len(name) >= _TOO_LONG:
        yield problem(
            "hostname", f"it has {len(name)} characters; it has to be shorter than {_TOO_LONG}.", "Shorten it."
        )
    if not name:
        yield problem("hostname", "it is empty.", "Name the device as others reach it, or leave the key out.")
    if _is_address(name):
        yield warning(
            "hostname",
            "it is an IP address; edgeHub shows it in its certificate, and many clients accept names only.",
            "Give the device a name in DNS, and write that.",
        )


def _check_parent(config: DeviceConfig) -> Iterator[Finding]:
    parent = config.parent_hostname
    if parent is None:
        return
    at = "parent_hostname" if "parent_hostname" in config.file else "local_gateway_hostname"
    if config.hostname is not None and parent.casefold() == config.hostname.casefold():
        yield problem(at, "it is the hostname of this device itself.", "Name the device of the layer above.")
    if "trust_bundle_cert" not in config.file:
        yield warning(
            "trust_bundle_cert",
            "it is missing, so the modules of this device do not trust its parent.",
            "Name a file with the root of the parent's Edge CA.",
        )


def _check_edge_ca(config: DeviceConfig) -> Iterator[Finding]:
    edge_ca = config.edge_ca
    name = edge_ca.common_name if edge_ca else None
    if edge_ca is None or name is None:
        return
    if name.casefold() in {(config.hostname or "").casefold(), (config.parent_hostname or "").casefold()}:
        yield problem(
            edge_ca.part.path("common_name"),
            "the Edge CA may not be named as a host is; TLS clients then take it for the server.",
            "Leave it out: it becomes aziot-edge CA and the device id.",
        )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
