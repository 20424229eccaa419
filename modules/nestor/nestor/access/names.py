"""Names as text: which device a name belongs to, and whether a pattern covers it. Pure.

A pattern matches whole and ignores case; `*` stands for any text, `?` for one character, a backslash takes the next
character as it is. Nothing here is a regular expression, so no pattern and no name can be slow or mean something else.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from cryptography import x509

from nestor.model import EDGE_CA_PREFIX, CertificationRequest

_ANY = "*"
_ONE = "?"
_AS_IS = "\\"


def literal(text: str) -> str:
    """The pattern that covers this text only."""
    return "".join(_AS_IS + sign if sign in {_ANY, _ONE, _AS_IS} else sign for sign in text)


def covers(pattern: str, text: str) -> bool:
    """Whether a pattern covers a text, whole, ignoring case. Time grows with the product of the two lengths at most."""
    wanted, given = _read(pattern.casefold()), text.casefold()
    at = place = 0
    star, resume = -1, 0
    while place < len(given):
        if at < len(wanted) and wanted[at] in {(_ONE, True), (given[place], False)}:
            at, place = at + 1, place + 1
        elif at < len(wanted) and wanted[at] == (_ANY, True):
            star, resume, at = at, place, at + 1
        elif star >= 0:
            # What followed the last star did not fit here: let that star take one character more.
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return all(sign == (_ANY, True) for sign in wanted[at:])


def any_covers(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns covers a text."""
    return any(covers(pattern, text) for pattern in patterns)


def is_edge_ca_name(name: str) -> bool:
    """Whether a device id would read as the name of an Edge CA, in whatever case; no device may be called so."""
    return name.casefold().startswith(EDGE_CA_PREFIX.casefold())


def names_of(csr: CertificationRequest) -> tuple[x509.Name, Sequence[x509.GeneralName]]:
    """The names that a request wants: those of its ChangeSubjectName attribute, else its own (RFC 6402, 2.8)."""
    if csr.new_names is None:
        return csr.subject, csr.alternative_names
    return csr.new_names.subject or x509.Name([]), csr.new_names.alternative_names or ()


def text_of(name: x509.GeneralName) -> str | None:
    """A subject alternative name as the text that patterns are held against; None for kinds that nobody is granted."""
    match name:
        case x509.DNSName(value=text) | x509.RFC822Name(value=text) | x509.UniformResourceIdentifier(value=text):
            return text
        case x509.IPAddress(value=ipaddress.IPv4Address() | ipaddress.IPv6Address() as address):
            return str(address)
        case _:
            return None


def _read(pattern: str) -> list[tuple[str, bool]]:
    """The signs of a pattern, and whether each is a wildcard."""
    signs: list[tuple[str, bool]] = []
    escaped = False
    for sign in pattern:
        if sign == _AS_IS and not escaped:
            escaped = True
            continue
        signs.append((sign, not escaped and sign in {_ANY, _ONE}))
        escaped = False
    return [*signs, (_AS_IS, False)] if escaped else signs


def printable(text: str) -> str:
    """A text safe to show on one line: what cannot be printed becomes a question mark."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
