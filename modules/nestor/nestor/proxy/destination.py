"""Where a route leads to, as the document says it: `https://HOST:PORT`, `$parent:PORT`, `edgeHub`. Pure."""

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from nestor.errors import SettingsError

_HTTPS = 443
_PARENT = re.compile(r"(?:https://)?\$parent(?::([0-9]{1,5}))?/?")
_EDGE_HUB = "edgehub"
_MOST = 65_535


class Whose(Enum):
    """Whose server it is."""

    FIXED = auto()
    PARENT = auto()
    EDGE_HUB = auto()


@dataclass(frozen=True, slots=True)
class Destination:
    """A server; `host` is empty where only the device knows it."""

    whose: Whose
    host: str = ""
    port: int = _HTTPS


def read_destination(text: str) -> Destination:
    """Read where a route leads to. Raises SettingsError."""
    if text.lower() == _EDGE_HUB:
        return Destination(Whose.EDGE_HUB)
    parent = _PARENT.fullmatch(text)
    if parent is not None:
        return Destination(Whose.PARENT, port=_port(int(parent[1] or _HTTPS)))
    if text.lower().startswith("http://"):
        raise SettingsError("routes lead to HTTPS only: https://HOST:PORT")
    if "://" not in text:
        raise SettingsError("it is none of https://HOST:PORT, $parent:PORT and edgeHub")
    host, port = read_address(text, "https", _HTTPS)
    return Destination(Whose.FIXED, host, port)


def read_place(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT. Raises SettingsError."""
    host, port = "", 0
    with suppress(SettingsError):
        host, port = read_address(f"tcp://{text}", "tcp", 0)
    if not host or text.endswith("/"):
        raise SettingsError("it is not HOST:PORT")
    return host, port


def read_address(text: str, scheme: str, default_port: int) -> tuple[str, int]:
    """Host and port of a URL that has nothing else. Raises SettingsError."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", _port(parts.port if parts.port is not None else default_port)
    except ValueError:
        raise SettingsError("it is no address that can be read") from None
    beyond = parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme != scheme or not host or parts.username is not None or beyond:
        raise SettingsError(f"it is not {scheme}://HOST:PORT, without a user and without a path")
    return host, port


def _port(number: int) -> int:
    if not 0 < number <= _MOST:
        raise SettingsError(f"there is no port {number}")
    return number
