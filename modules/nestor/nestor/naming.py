"""How the names of devices and machines are compared: one rule for each, wherever two names meet."""

import hashlib
import string
from ipaddress import IPv6Address, IPv6Network

from cryptography import x509
from cryptography.x509.oid import NameOID

_ISSUER_ID = 16
"""Bytes of an issuer's id."""

EDGE_CA_PREFIX = "aziot-edge CA "
"""How aziot-edged names the Edge CA of a device: this, then the device id."""

LAYER_CA_PREFIX = "Nestor CA "
"""How Nestor names the CA of a layer: this, then the name under which its parent knows it."""

CA_PREFIXES = (EDGE_CA_PREFIX, LAYER_CA_PREFIX)
"""A common name that begins with one of these is a CA's, and the rest is its owner's name."""

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(text: str) -> str:
    """A name as names are compared: A is a, and every other letter is itself.

    Unicode would fold letters of other scripts into ASCII ones, and make two devices one.
    """
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def device_id(common_name: str) -> str:
    """The device that a common name belongs to, folded for comparison; a CA is its owner's."""
    prefix = next((prefix for prefix in CA_PREFIXES if common_name.startswith(prefix)), "")
    return fold(common_name.removeprefix(prefix))


def issuer_id(certificate: x509.Certificate) -> bytes:
    """Whose certificate it is: a digest of the name of its issuer and, where it tells one, of that one's key.

    A serial number is unique among the certificates of one issuer (RFC 5280, 4.1.2.2). One who was made anew under the
    same name counts from the beginning.
    """
    try:
        key = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        key = None
    return hashlib.sha256(certificate.issuer.public_bytes() + (key or b"")).digest()[:_ISSUER_ID]


def common_name_of(name: x509.Name) -> str:
    """The last common name of a subject, or an empty string."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def network_of(address: str) -> str:
    """Whose address it is, for all that is counted by address: an IPv4 address itself, the /64 of an IPv6 address.

    One machine has as many IPv6 addresses as it likes within its /64 (RFC 8981).
    """
    if ":" not in address:
        return address
    full = IPv6Address(address.partition("%")[0])
    return str(full.ipv4_mapped or IPv6Network((full, 64), strict=False))
