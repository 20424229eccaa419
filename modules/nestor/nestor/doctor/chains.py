"""How certificates hang together: who issued whom, up to a root; and how OpenSSL, which aziot-certd uses, sees a path.

Dates are judged by those who ask, so that an expired certificate is told as that and not as a broken chain.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from OpenSSL import crypto

Kind = TypeVar("Kind", bound=x509.ExtensionType)

_NO_CHECK_TIME = 0x20_0000
"""X509_V_FLAG_NO_CHECK_TIME, which pyOpenSSL does not name."""

_UNLIMITED = 1_000


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a certificate up to an anchor, that one last; empty where there is none, and then why."""

    certificates: tuple[x509.Certificate, ...] = ()
    words: str = ""


def find_path(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate] | None,
    *,
    partial: bool = False,
) -> Path:
    """The path as OpenSSL finds it; anchors are roots, unless `partial`. None stands for this machine's own store."""
    store = _system_store() if anchors is None else crypto.X509Store()
    store.set_flags(_NO_CHECK_TIME | (crypto.X509StoreFlags.PARTIAL_CHAIN if partial else 0))
    for anchor in anchors or ():
        store.add_cert(_wrap(anchor))
    context = crypto.X509StoreContext(store, _wrap(certificate), [_wrap(other) for other in others])
    try:
        found = context.get_verified_chain()
    except crypto.X509StoreContextError as broken:
        return Path(words=str(broken))
    return Path(tuple(one.to_cryptography() for one in found))


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether one certificate was signed by another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_root(certificate: x509.Certificate) -> bool:
    """Whether a certificate signed itself."""
    return issued(certificate, certificate)


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate may sign others: its basic constraints, and its key usage where it has one."""
    usage = extension(certificate, x509.KeyUsage)
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def room_below(path: Sequence[x509.Certificate]) -> int:
    """How many CAs may follow below the first of a path, whose members are its issuers in turn."""
    limits = [extension(one, x509.BasicConstraints) for one in path]
    lengths = [_UNLIMITED if one is None or one.path_length is None else one.path_length for one in limits]
    return min((length - above for above, length in enumerate(lengths)), default=0)


def extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    """An extension of a certificate; None where it has none, or none that can be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _system_store() -> crypto.X509Store:
    """The store of the system's OpenSSL, which aziot-certd believes beside its trusted_certs."""
    store = crypto.X509Store()
    places = ssl.get_default_verify_paths()
    if places.cafile is not None:
        store.load_locations(places.cafile)
    if places.capath is not None:
        store.load_locations(None, places.capath)
    return store


def _wrap(certificate: x509.Certificate) -> crypto.X509:
    return crypto.X509.from_cryptography(certificate)
