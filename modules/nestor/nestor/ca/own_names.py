"""The names under which this server itself is reached; nobody else may pass for them (design D3). Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from nestor.ca.patterns import Address, plain_address
from nestor.errors import SettingsError


@dataclass(frozen=True, slots=True)
class OwnNames:
    """The names under which this server is reached; nobody else may pass for them."""

    dns: frozenset[str] = frozenset()
    ip: frozenset[Address] = frozenset()

    def has(self, text: str) -> bool:
        """Whether a name is one of them, whatever its case, with or without the dot of the root."""
        plain = text.casefold().rstrip(".")
        return plain in self.dns or plain_address(plain) in self.ip

    def general_names(self) -> list[x509.GeneralName]:
        """All of them, in a stable order."""
        addresses = sorted(self.ip, key=lambda address: (address.version, int(address)))
        return [*map(x509.DNSName, sorted(self.dns)), *map(x509.IPAddress, addresses)]

    def subtrees(self) -> list[x509.GeneralName]:
        """All of them as name constraints write them, an address as a network of one (RFC 5280, 4.2.1.10).

        Some clients take an IPv4 address written as an IPv6 one for the same (RFC 4291, 2.5.5.2).
        """
        names = self.general_names()
        addresses = [name.value for name in names if isinstance(name, x509.IPAddress)]
        mapped = [ipaddress.IPv6Address(f"::ffff:{one}") for one in addresses if isinstance(one, ipaddress.IPv4Address)]
        networks = [x509.IPAddress(ipaddress.ip_network(one)) for one in (*addresses, *mapped)]
        return [*(name for name in names if isinstance(name, x509.DNSName)), *networks]


def own_names(texts: Iterable[str]) -> OwnNames:
    """Host names and addresses, told apart. Raises SettingsError for what is neither."""
    plain = {text.casefold().rstrip(".") for text in texts}
    for text in plain:
        if not text.isascii() or not text.isprintable() or " " in text or not text:
            raise SettingsError(f"listener.hostnames: {text!r} is no host name and no address.")
    addresses = {text: address for text in plain if (address := plain_address(text)) is not None}
    return OwnNames(frozenset(plain - addresses.keys()), frozenset(addresses.values()))
