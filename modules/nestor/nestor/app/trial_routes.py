"""Whether the routes of the API proxy hold, as far as that can be known without touching a file."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from nestor.app.names import is_server_name
from nestor.errors import SettingsError
from nestor.est import layers
from nestor.est.menu import BASE
from nestor.proxy.destination import Whose, read_address, read_destination, read_place
from nestor.proxy.passthrough import NAME
from nestor.proxy.preset import routes_of
from nestor.proxy.routing import NEVER, climbs, is_reserved
from nestor.proxy.settings import PassthroughSettings, ProxySettings, RouteSettings
from nestor.settings import Settings
from nestor.web.probes import PROBES

RESERVED = (BASE, layers.PATH, *sorted(PROBES))
"""Paths that no route takes."""

DIRECT = "direct"
"""What `proxy.through` says where the environment does not count."""

HTTP_PROXY = 3128
"""The usual port of an HTTP proxy."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_PATH = re.compile(r"/[!$&'()*+,\-./0-9:;=@A-Z_a-z~%]*")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def wrong_routes(settings: Settings) -> Iterator[str]:
    """A sentence for everything that is wrong with them, each with its path."""
    yield from _wrong_proxy(settings.proxy)
    for name, route in routes_of(settings.proxy, settings.routes).items():
        where = f"routes.{name}"
        if not _NAME.fullmatch(name):
            yield f"{where}: a name has letters, digits, hyphens, dots and underscores, and is not longer than 40."
        if name == NAME:
            yield f"{where}: this name stands for proxy.passthrough, in logs and metrics."
        yield from _wrong_pattern(where, route)
        yield from _wrong_target(where, route)


def _wrong_pattern(where: str, route: RouteSettings) -> Iterator[str]:
    if not _PATH.fullmatch(route.path) or climbs(route.path):
        yield f"{where}.path: it begins with /, has no segments of dots, and only what a path has."
    elif is_reserved(route.path, RESERVED):
        yield f"{where}.path: this path is this server's own; no route takes it."
    if route.header and not _TOKEN.fullmatch(route.header):
        yield f"{where}.header: it is no name of a header."
    if route.header_value and not route.header:
        yield f"{where}.headerValue: it needs a header."
    for method in route.methods:
        if not _TOKEN.fullmatch(method) or method != method.upper() or method in NEVER:
            yield f"{where}.methods: {method} is no method that can be carried."


def _wrong_target(where: str, route: RouteSettings) -> Iterator[str]:
    if (route.certificate is None) != (route.key is None):
        yield f"{where}: a certificate needs its key, and a key its certificate."
    if not route.to:
        return
    try:
        destination = read_destination(route.to)
    except SettingsError as fault:
        yield f"{where}.to: {fault.sentence}."
        return
    if route.identity and destination.whose is not Whose.EDGE_HUB:
        yield f"{where}.identity: this module's token goes to edgeHub alone."


def _wrong_proxy(settings: ProxySettings) -> Iterator[str]:
    if settings.parent and not is_server_name(settings.parent):
        yield f"proxy.parent: {settings.parent!r} is no host name and no address.{_meant_by(settings.parent)}"
    if settings.through and settings.through != DIRECT:
        try:
            read_address(settings.through, "http", HTTP_PROXY)
        except SettingsError as fault:
            yield f"proxy.through: {fault.sentence}; or direct."
    yield from _wrong_passthrough(settings.passthrough)


def _meant_by(address: str) -> str:
    """What to write for somebody who took a name for an address with scheme or port."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return f" Write {host}; a port belongs into routes.*.to, as $parent:PORT." if is_server_name(host) else ""


def _wrong_passthrough(settings: PassthroughSettings) -> Iterator[str]:
    if (settings.port is None) != (not settings.to):
        yield "proxy.passthrough: a port needs a server that it leads to, and a server its port."
    if settings.to:
        try:
            read_place(settings.to)
        except SettingsError as fault:
            yield f"proxy.passthrough.to: {fault.sentence}."
