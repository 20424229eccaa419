"""What a deployment gives to the module: its twin and its environment, as a deployment template says. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standin.errors import StandInError
from standin.twin import Document

GATEWAYS = "gateway-*"
_EXAMPLES = {
    "NESTOR_GATEWAYS": GATEWAYS,
    "NESTOR_DEVICES": "press-*",
    "NESTOR_LAYER": "layer3",
    "NESTOR_CHILD": "layer2",
    "NESTOR_PARENT": "gw4.plant.example",
    "NESTOR_PARENT_CA_SHA256": "0" * 64,
}
"""What fills the templates here."""

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The desired properties and the variables of one module."""

    desired: Document
    environment: Mapping[str, str] = field(default_factory=dict)


def read_template(text: str, module: str, address: str) -> Deployment:
    """The part of a module in a deployment template, its placeholders filled in for the stand-in."""
    try:
        content = json.loads(_filled(text, {**_EXAMPLES, "NESTOR_HOSTNAME": address}))["modulesContent"]
        variables = content["$edgeAgent"]["properties.desired"]["modules"][module].get("env", {})
        desired = content[module]["properties.desired"]
        return Deployment(desired, {name: str(one["value"]) for name, one in variables.items()})
    except (ValueError, LookupError, TypeError) as reason:
        raise StandInError(f"This is no deployment template with a module {module}: {reason!r}.") from reason


def read_twin(text: str) -> Deployment:
    """Desired properties alone."""
    return Deployment(read_object(text))


def read_object(text: str) -> dict[str, Any]:
    """A JSON object that somebody typed."""
    try:
        told = json.loads(text)
    except ValueError as reason:
        raise StandInError(f"That is no JSON: {reason}.") from reason
    if not isinstance(told, dict):
        raise StandInError('That is no JSON object; write {"name": value}.')
    return told


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known filled in; images and ports of other modules do not matter here."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
