"""Names as text: whether they are host names or addresses. Pure."""

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE | re.ASCII
)


def is_host_name(text: str) -> bool:
    """Whether a text can be a DNS name (RFC 1123, 2.1), and no IP address."""
    return _HOST_NAME.fullmatch(text) is not None and address_of(text) is None


def address_of(text: str) -> Address | None:
    """The IP address that a text is; None for any other text."""
    if ":" not in text and not text.replace(".", "").isdecimal():
        return None  # as most names are, and an exception takes longer to say so
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def plain_address(text: str) -> Address | None:
    """The IP address that a text is, an IPv4 address in the clothes of an IPv6 one taken for what it is."""
    address = address_of(text)
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
