"""Names as people write them, and when two are the same name (RFC 5280, 7.1 and 7.2).

Characters that merely look alike stay different: whoever writes a name in another way asks for another name.
"""

import ipaddress
from collections.abc import Hashable, Iterable

from cryptography import x509

from nestor.errors import Malformed


def same_name(one: x509.Name, other: x509.Name) -> bool:
    """Whether two subjects are the same: the same parts in the same order."""
    return one == other or _folded_name(one) == _folded_name(other)


def same_alternative_names(one: Iterable[x509.GeneralName], other: Iterable[x509.GeneralName]) -> bool:
    """Whether two lists of alternative names hold the same ones, in whatever order."""
    return {_folded(name) for name in one} == {_folded(name) for name in other}


def same_value(one: str, other: str) -> bool:
    """Whether two values of an attribute of a name are the same."""
    return _folded_value(one) == _folded_value(other)


def general_name(text: str) -> x509.GeneralName:
    """The alternative name that a person writes: an IP address, a URI, a mail address, or else a DNS name.

    Raises Malformed.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    kind = x509.UniformResourceIdentifier if "://" in text else x509.RFC822Name if "@" in text else x509.DNSName
    try:
        return kind(text)
    except ValueError:
        raise Malformed(f"{text!r} is no alternative name.", "Write a DNS name, IP, mail address or URI.") from None


def _folded_name(name: x509.Name) -> tuple[frozenset[tuple[x509.ObjectIdentifier, Hashable]], ...]:
    return tuple(frozenset((part.oid, _folded_value(part.value)) for part in rdn) for rdn in name.rdns)


def _folded_value(value: str | bytes) -> Hashable:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _folded(name: x509.GeneralName) -> Hashable:
    """A general name as something to compare; what follows the host of an address or path keeps its case."""
    match name:
        case x509.DNSName(value=text):
            return x509.DNSName, text.casefold()
        case x509.RFC822Name(value=text):
            mailbox, at, host = text.rpartition("@")
            return x509.RFC822Name, mailbox, at, host.casefold()
        case x509.DirectoryName(value=directory):
            return x509.DirectoryName, _folded_name(directory)
        case _:
            return name
