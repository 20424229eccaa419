"""Routes that need not be written out: those of Microsoft's API proxy, by name. `routes` changes them key by key."""

from collections.abc import Mapping

from nestor.proxy.settings import Preset, ProxySettings, RouteSettings

_EDGE_HUB = {"to": "edgeHub", "identity": True}
_PRESETS: Mapping[Preset, Mapping[str, Mapping[str, object]]] = {
    Preset.NONE: {},
    Preset.IOTEDGE: {
        "registry": {"path": "/v2/", "to": "$parent"},
        "acr": {"path": "/acr/", "to": "$parent"},
        "blob": {"header": "x-ms-version", "to": "$parent"},
        "devices": {"path": "/devices/", **_EDGE_HUB},
        "twins": {"path": "/twins/", **_EDGE_HUB},
        "websocket": {"path": "/$iothub/websocket", **_EDGE_HUB},
    },
}


def routes_of(proxy: ProxySettings, own: Mapping[str, RouteSettings]) -> dict[str, RouteSettings]:
    """Every route: those of the preset with what is written over them, and those that are written."""
    routes = {name: RouteSettings.model_validate(preset) for name, preset in _PRESETS[proxy.preset].items()}
    for name, written in own.items():
        changes = {key: getattr(written, key) for key in written.model_fields_set}
        routes[name] = routes[name].model_copy(update=changes) if name in routes else written
    return routes


def is_of_preset(proxy: ProxySettings, own: Mapping[str, RouteSettings], name: str) -> bool:
    """Whether it is the preset that says where a route leads to."""
    return name in _PRESETS[proxy.preset] and (name not in own or "to" not in own[name].model_fields_set)
