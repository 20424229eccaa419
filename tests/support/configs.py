"""The config.toml of a device as a test wants it: a good one, with something changed."""

import tomllib
from collections.abc import Iterable
from typing import Any

from nestor.device.config import DeviceConfig
from nestor.device.part import Part
from nestor.device.plan import DPS, Bootstrap, Hub, Login, Plan
from nestor.device.writing import write_config
from nestor.finding import Finding, Gravity

URL = "https://gw3.plant.example:8085/.well-known/est"
SCOPE = DPS("0ne00112233")
BY_PASSWORD = Plan("gw3", URL, SCOPE, login=Login("gw3", "0815"), hostname="gw3.line.example")
BY_BOOTSTRAP = Plan("gw3", URL, SCOPE, bootstrap=Bootstrap(), hostname="gw3.line.example")
BY_HAND = Plan("gw3", URL, Hub("plant.azure-devices.net"), login=Login("gw3", "0815"))

IDENTITY = "provisioning.attestation.identity_cert"
AUTH = "cert_issuance.est.auth"
URLS = "cert_issuance.est.urls"


def document(plan: Plan = BY_PASSWORD, **changes: Any) -> dict[str, Any]:
    """What a plan is written as, some keys changed: paths with `__` for dots; None removes a key."""
    written = tomllib.loads(write_config(plan))
    for path, value in changes.items():
        *tables, key = path.split("__")
        place = written
        for table in tables:
            place = place.setdefault(table, {})
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return written


def config(plan: Plan = BY_PASSWORD, **changes: Any) -> DeviceConfig:
    """The same, as the rules read it."""
    return DeviceConfig(Part("", document(plan, **changes)))


def problems(found: Iterable[Finding]) -> list[str]:
    """The places of the problems."""
    return [finding.about for finding in found if finding.gravity is Gravity.PROBLEM]


def warnings(found: Iterable[Finding]) -> list[str]:
    """The places of the warnings."""
    return [finding.about for finding in found if finding.gravity is Gravity.WARNING]


def only(found: Iterable[Finding]) -> Finding:
    """The one thing that was found."""
    (finding,) = found
    return finding
