"""Which names are this server's own, so that nobody else may pass for them (design D3)."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from nestor.ca.patterns import address_of, is_host_name

_LOOPBACK_NAMES = {"localhost", "ip6-localhost", "localhost.localdomain"}


def reserved_names(names: Iterable[str]) -> list[str]:
    """The names among these that are nobody else's; every machine calls itself localhost."""
    return [name for name in dict.fromkeys(names) if not is_loopback(name)]


def host_of(url: str | None) -> list[str]:
    """The name of the host in a URL, where there is one."""
    host = urlsplit(url).hostname if url else None
    return [host] if host else []


def is_loopback(name: str) -> bool:
    """Every machine calls itself so: such a name belongs to nobody."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.casefold().rstrip(".") in _LOOPBACK_NAMES


def is_server_name(text: str) -> bool:
    """Whether devices can reach a server by a name: a host name, no wildcard, or an IP address without a zone."""
    if address_of(text) is not None:
        return "%" not in text
    # A number at the end would make it an address (RFC 3986, 3.2.2), and it is none.
    return is_host_name(text) and not text.rpartition(".")[2].isdigit()
