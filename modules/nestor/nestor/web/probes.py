"""What is asked of a server by those who watch over it: does it live, does it issue. The answers, as values."""

import http
import ipaddress
from collections.abc import Mapping

HEALTHZ, READYZ = "/healthz", "/readyz"
WORD = "health.url"
"""The file of a data directory in which its server leaves word where it is asked."""

PROBES = frozenset({HEALTHZ, READYZ})

_WORDS = {HEALTHZ: "broken", READYZ: "not issuing"}


def verdict(path: str, found: Mapping[str, str], address: str) -> tuple[http.HTTPStatus, Mapping[str, object]]:
    """Status and body of a probe; sentences, which name files, are for who asks from this machine."""
    if not found:
        return http.HTTPStatus.OK, {"status": "ok"}
    told = dict(found) if is_loopback(address) else list(found)
    return http.HTTPStatus.SERVICE_UNAVAILABLE, {"status": _WORDS[path], "problems": told}


def is_loopback(address: str) -> bool:
    """Whether who asks is on this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
