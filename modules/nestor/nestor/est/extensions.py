"""The extensions that a request asks for, sorted out: four that the house knows, the others by their identifiers.

Names must be readable text: a NUL, a line break or a mark that turns the writing direction deceives somebody later.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from cryptography import x509

from nestor.errors import Malformed
from nestor.model import BasicConstraints, KeyUsage

_USAGES = {
    KeyUsage.DIGITAL_SIGNATURE: "digital_signature",
    KeyUsage.NON_REPUDIATION: "content_commitment",
    KeyUsage.KEY_ENCIPHERMENT: "key_encipherment",
    KeyUsage.DATA_ENCIPHERMENT: "data_encipherment",
    KeyUsage.KEY_AGREEMENT: "key_agreement",
    KeyUsage.KEY_CERT_SIGN: "key_cert_sign",
    KeyUsage.CRL_SIGN: "crl_sign",
}
_AGREEMENT_USAGES = {KeyUsage.ENCIPHER_ONLY: "encipher_only", KeyUsage.DECIPHER_ONLY: "decipher_only"}


class Asked(NamedTuple):
    """What is asked for; None where an extension is absent."""

    alternative_names: tuple[x509.GeneralName, ...] = ()
    basic_constraints: BasicConstraints | None = None
    key_usage: frozenset[KeyUsage] | None = None
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] | None = None
    others: tuple[x509.ObjectIdentifier, ...] = ()


def sort_out(extensions: Iterable[x509.Extension[x509.ExtensionType]]) -> Asked:
    """Sort out the extensions of a request. Raises Malformed for alternative names that are not plain."""
    asked = Asked()
    for extension in extensions:
        match extension.value:
            case x509.SubjectAlternativeName() as names:
                asked = asked._replace(alternative_names=tuple(names))
            case x509.BasicConstraints(ca=ca, path_length=length):
                asked = asked._replace(basic_constraints=BasicConstraints(ca, length))
            case x509.KeyUsage() as usage:
                asked = asked._replace(key_usage=_usages(usage))
            case x509.ExtendedKeyUsage() as usages:
                asked = asked._replace(extended_key_usage=tuple(usages))
            case _:
                asked = asked._replace(others=(*asked.others, extension.oid))
    check_general_names(asked.alternative_names)
    return asked


def check_general_names(names: Iterable[x509.GeneralName]) -> None:
    """Raise Malformed for an alternative name that is not readable, or no single address."""
    for name in names:
        match name:
            case x509.DNSName(value=text) | x509.RFC822Name(value=text) | x509.UniformResourceIdentifier(value=text):
                _check_text(text, "A subject alternative name")
            case x509.IPAddress(value=address) if not isinstance(address, IPv4Address | IPv6Address):
                raise Malformed("A subject alternative name is a network where an IP address is due.")
            case x509.DirectoryName(value=directory):
                check_name(directory)
            case _:
                pass


def check_name(name: x509.Name) -> None:
    """Raise Malformed for a name that is not readable."""
    for attribute in name:
        if isinstance(attribute.value, str):
            _check_text(attribute.value, "The subject")


def _check_text(text: str, where: str) -> None:
    if not text.isprintable():
        bad = next(sign for sign in text if not sign.isprintable())
        raise Malformed(f"{where} holds a character that cannot be printed: U+{ord(bad):04X}.", "Use plain text.")


def _usages(usage: x509.KeyUsage) -> frozenset[KeyUsage]:
    # The last two bits mean something beside keyAgreement only (RFC 5280, 4.2.1.3).
    known = _USAGES | _AGREEMENT_USAGES if usage.key_agreement else _USAGES
    return frozenset(bit for bit, name in known.items() if getattr(usage, name))
