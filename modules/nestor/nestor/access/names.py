"""Names as text: which device a name belongs to, and whether a pattern covers it. Pure."""

import ipaddress
from collections.abc import Sequence

from cryptography import x509

from nestor.model import CertificationRequest
from nestor.naming import CA_PREFIXES, fold


def is_ca_name(name: str) -> bool:
    """Whether a device id would read as the name of a CA, in whatever case; no device may be called so."""
    return fold(name).startswith(tuple(map(fold, CA_PREFIXES)))


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


def printable(text: str) -> str:
    """A text safe to show on one line: what cannot be printed becomes a question mark."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
