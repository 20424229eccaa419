"""Which names are this server's own, so that nobody else may pass for them (design D3)."""

import ipaddress
from collections.abc import Iterable

_LOOPBACK_NAMES = {"localhost", "ip6-localhost", "localhost.localdomain"}


def reserved_names(names: Iterable[str]) -> list[str]:
    """The names among these that are nobody else's; every machine calls itself localhost."""
    return [name for name in dict.fromkeys(names) if not is_loopback(name)]


def is_loopback(name: str) -> bool:
    """Every machine calls itself so: such a name belongs to nobody."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.casefold().rstrip(".") in _LOOPBACK_NAMES
