"""What the settings of each layer say, in both styles. Pure.

By forwarding, the top alone has the CA that devices know; the layers below ask it, one through the other. With a CA per
layer, each has a CA from its parent, and issues by itself.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from layers.ground import BOTTOM, TOP, address, host

PORT = 8085
DEVICE = "press-7"
DEVICES = "press-*"
"""Who may have certificates, an Edge CA among them: this line of presses."""

PARENT_CA, PASSWORD = "parent-ca.pem", "parent.password"
"""What the operator of a layer brings from its parent, into the data directory."""

CUT = 3
"""The layer that loses its parent."""

SOON = "1min"
"""How long its own certificate lives with a CA per layer: it is renewed before that, and misses its parent."""


class Style(StrEnum):
    """How certificates reach the bottom."""

    FORWARDING = "by forwarding"
    LAYER_CA = "with a CA per layer"


def name_of(layer: int) -> str:
    """How a layer is known to its parent."""
    return f"layer{layer}"


def settings(style: Style, layer: int) -> dict[str, Any]:
    """The settings file of a layer."""
    access: dict[str, Any] = {"gateways": DEVICES}
    document: dict[str, Any] = {
        "listener": {"addresses": "*", "port": PORT, "hostnames": f"{host(layer)}, {address(layer)}, localhost"},
        "access": access,
    }
    if layer < TOP:
        document["upstream"] = _upstream(style, layer)
    match style:
        case Style.FORWARDING:
            document |= _forwarding(layer)
            access |= _forwarders(layer)
        case Style.LAYER_CA:
            document |= _with_own_ca(layer)
            access |= _layers(layer)
    return document


def first_profile(style: Style) -> str:
    """What the parent lets a layer have for the password that it is told."""
    return "forwarder" if style is Style.FORWARDING else "estIdentity"


def _upstream(style: Style, layer: int) -> Mapping[str, Any]:
    own = {"name": name_of(layer), **({"label": "forwarder"} if style is Style.FORWARDING else {})}
    return {
        "url": f"https://{host(layer + 1)}:{PORT}/.well-known/est",
        "anchors": f"file:{PARENT_CA}",
        "user": name_of(layer),
        "password": f"file:{PASSWORD}",
        "identity": own,
    }


def _forwarding(layer: int) -> Mapping[str, Any]:
    document: dict[str, Any] = {"ca": {"subject": f"CN=Plant CA of layer {layer}"}}
    if layer < TOP:
        document["authority"] = {"kind": "upstream"}
    if layer > BOTTOM:
        document["labels"] = {"forwarder": {"profile": "forwarder", "authority": "local"}}
    return document


def _forwarders(layer: int) -> Mapping[str, Any]:
    if layer == BOTTOM:
        return {}
    below = {"subject": f"CN={name_of(layer - 1)}", "names": DEVICES, "statements": True}
    profiles = "deviceIdentity, estIdentity, edgeCa"
    return {"forwarders": {name_of(layer - 1): {**below, "profiles": profiles}}}


def _with_own_ca(layer: int) -> Mapping[str, Any]:
    """A layer CA has room for the layer CAs below it, and for Edge CAs below the lowest."""
    document: dict[str, Any] = {"ca": {"subject": "CN=Plant Root CA"}}
    if layer < TOP:
        document["ca"] = {"source": "parent", "pathLength": layer}
    if layer > BOTTOM:
        document["labels"] = {"layer-ca": {"profile": "layerCa"}}
        document["profiles"] = {"layerCa": {"pathLength": layer - 1}}
    if layer == CUT + 1:
        document["profiles"]["estIdentity"] = {"lifetime": SOON}
    return document


def _layers(layer: int) -> Mapping[str, Any]:
    return {} if layer == BOTTOM else {"layers": {name_of(layer - 1): {"hostnames": host(layer - 1)}}}
