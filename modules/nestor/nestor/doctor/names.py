"""Whether a certificate is good for the host of a URL, as the OpenSSL of aziot-certd compares names."""

import ipaddress
from enum import StrEnum

from cryptography import x509

from nestor.doctor.words import quoted
from nestor.naming import common_name_of

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Match(StrEnum):
    """By which name a certificate is good for a host."""

    ALTERNATIVE_NAME = "alternative name"
    COMMON_NAME = "common name"
    NONE = "none"


def match(certificate: x509.Certificate, host: str) -> Match:
    """How a certificate is good for a host. Where it has no DNS name at all, OpenSSL falls back on the common name."""
    dns, addresses = _names(certificate)
    address = address_of(host)
    if address is not None:
        return Match.ALTERNATIVE_NAME if address in addresses else Match.NONE
    if any(_same_host(name, host) for name in dns):
        return Match.ALTERNATIVE_NAME
    if not dns and _same_host(common_name_of(certificate.subject), host):
        return Match.COMMON_NAME
    return Match.NONE


def names_of(certificate: x509.Certificate) -> list[str]:
    """Every name and address that a certificate is good for."""
    dns, addresses = _names(certificate)
    return [*map(quoted, dns), *map(str, addresses)]


def address_of(host: str) -> _Address | None:
    """The host as an address, where it is one."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> tuple[list[str], list[_Address]]:
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [], []
    addresses = [one for one in held.get_values_for_type(x509.IPAddress) if isinstance(one, _Address)]
    return held.get_values_for_type(x509.DNSName), addresses


def _same_host(name: str, host: str) -> bool:
    """A star stands for one whole label, the first, above at least two others."""
    name, host = name.casefold(), host.casefold().rstrip(".")
    if name == host:
        return bool(name)
    first, _, parent = name.partition(".")
    label, _, above = host.partition(".")
    return first == "*" and "." in parent and above == parent and bool(label)
