"""All that is checked of a config.toml, in the order in which it is told: the file, then the files that it names."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime

from nestor.device.addresses import check_addresses
from nestor.device.config import DeviceConfig
from nestor.device.files import Disk
from nestor.device.findings import problem
from nestor.device.form import check_filled, check_form
from nestor.device.issuing import check_issuing
from nestor.device.material import check_material
from nestor.device.naming import check_names
from nestor.device.ownership import check_ownership
from nestor.device.part import Part
from nestor.device.places import check_places
from nestor.device.provisioning import check_provisioning
from nestor.device.renewal import check_renewal
from nestor.finding import Finding

_RULES: tuple[Callable[[DeviceConfig], Iterator[Finding]], ...] = (
    check_provisioning,
    check_names,
    check_issuing,
    check_addresses,
    check_places,
    check_renewal,
)


def read_config(text: str, name: str) -> DeviceConfig | Finding:
    """The config that a text is; what is wrong where it is no TOML."""
    try:
        return DeviceConfig(Part("", tomllib.loads(text)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return problem(name, f"it is not TOML: {error}.", "Mend that line; nothing else could be looked at.")


def check_rules(config: DeviceConfig) -> list[Finding]:
    """What is wrong with a config, placeholders taken for what they stand for."""
    found = list(check_form(config.file))
    for rule in _RULES:
        found += rule(config)
    return found


def check_config(config: DeviceConfig) -> list[Finding]:
    """What is wrong with a config by itself."""
    return [*check_rules(config), *check_filled(config.file)]


def check_disk(config: DeviceConfig, disk: Disk, now: datetime) -> list[Finding]:
    """What is wrong with the files that a config names."""
    return [*check_ownership(disk), *check_material(config, disk, now)]
