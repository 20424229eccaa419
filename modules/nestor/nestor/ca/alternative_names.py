"""The subject alternative names of a certificate: which kinds a profile takes from a request, and what it adds. Pure.

Whether somebody may have a name was decided before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from nestor.ca.patterns import is_host_name, plain_address
from nestor.ca.settings import AlternativeNameSettings
from nestor.document import any_covers
from nestor.errors import Forbidden
from nestor.naming import common_name_of

MOST_NAMES = 16
_KINDS: Mapping[type[x509.GeneralName], str] = {
    x509.DNSName: "dns",
    x509.IPAddress: "ip",
    x509.UniformResourceIdentifier: "uri",
    x509.RFC822Name: "email",
}


@dataclass(frozen=True, slots=True)
class AlternativeNameRules:
    """Which alternative names there may be: patterns by kind (dns, ip, uri, email)."""

    patterns: Mapping[str, tuple[str, ...]]
    dns_from_common_name: bool


def alternative_name_rules(settings: AlternativeNameSettings) -> AlternativeNameRules:
    """The rules that validated settings mean."""
    patterns = {"dns": settings.dns, "ip": settings.ip, "uri": settings.uri, "email": settings.email}
    return AlternativeNameRules(patterns, settings.dns_from_common_name)


def issued_alternative_names(
    requested: Sequence[x509.GeneralName], subject: x509.Name, rules: AlternativeNameRules
) -> tuple[x509.GeneralName, ...]:
    """The alternative names that a certificate gets. Raises Forbidden for one that the profile does not take."""
    if len(requested) > MOST_NAMES:
        raise Forbidden(f"A certificate has at most {MOST_NAMES} subject alternative names.")
    for name in requested:
        _check_alternative_name(name, rules)
    common_name = common_name_of(subject)
    if not requested and rules.dns_from_common_name and is_host_name(common_name):
        return (x509.DNSName(common_name),)
    return tuple(requested)


def text_of(name: x509.GeneralName) -> str:
    """An alternative name as text."""
    return str(name.value)


def _check_alternative_name(name: x509.GeneralName, rules: AlternativeNameRules) -> None:
    kind = _KINDS.get(type(name), type(name).__name__)
    text = text_of(name)
    if not any_covers(rules.patterns.get(kind, ()), text):
        raise Forbidden(
            f"The profile takes no subject alternative name {kind}:{text!r}.",
            "alternativeNames of the profile lists them.",
        )
    odd = isinstance(name, x509.IPAddress) and str(plain_address(text)) != text
    if odd or "*" in text or not text.isascii() or not text.isprintable() or " " in text:
        raise Forbidden(
            f"The subject alternative name {text!r} is not plain.",
            "Wildcards, networks, IPv4 addresses within IPv6 ones, and spaces are not issued.",
        )
