"""What `nestor est` asks for: options become a wish, and the wish a request for a key that is made when needed."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from nestor.cli.est_files import read_file
from nestor.cli.exits import Misuse
from nestor.errors import MaterialError
from nestor.est import pkcs10
from nestor.keys import make
from nestor.model import KeyType
from nestor.upstream.wish import Wish, edge_ca, est_identity, follow, identity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from nestor.est.csrattrs import CsrAttributes


@dataclass(slots=True)
class Composer:
    """Makes requests for one key, which is of the kind that was chosen, or that the server wants, or P-256."""

    wish: Wish
    key_type: KeyType | None = None
    key: "CertificateIssuerPrivateKeyTypes | None" = None
    keep_names: bool = False

    def __call__(self, wanted: "CsrAttributes", binding: str | None) -> bytes:
        """The request, DER."""
        wish = follow(self.wish, wanted, keep_names=self.keep_names)
        if self.key is None:
            self.key = self._make(wanted)
        return pkcs10.build(
            self.key,
            wish.subject,
            alternative_names=wish.alternative_names,
            extensions=wish.extensions,
            challenge_password=binding,
        )

    @property
    def key_pem(self) -> bytes:
        """The key, PKCS #8 as PEM."""
        if self.key is None:
            msg = "no request has been made"
            raise RuntimeError(msg)
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _make(self, wanted: "CsrAttributes") -> "CertificateIssuerPrivateKeyTypes":
        if self.key_type is None and wanted.key is not None:
            return make.generate(wanted.key.type, wanted.key.bits or make.RSA_BITS)
        return make.generate(self.key_type or KeyType.EC_P256)


def wish_of(
    common_name: str | None,
    dns: Sequence[str] | None,
    ip: Sequence[str] | None,
    *,
    for_edge_ca: bool,
    for_est_identity: bool,
) -> Wish:
    """What the options ask for. Raises Misuse for those that contradict each other or cannot be."""
    if not common_name:
        raise Misuse("Nothing says for whom the certificate is.", "Give --common-name.")
    if for_edge_ca and (for_est_identity or dns or ip):
        raise Misuse("An Edge CA has no alternative names and is no EST identity.", "Use --edge-ca alone.")
    try:
        names = [
            *map(x509.DNSName, dns or ()),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in ip or ()),
        ]
        if for_edge_ca:
            return edge_ca(common_name)
        wish = identity(common_name, names)
    except ValueError as error:
        raise Misuse(f"No certificate can have that name: {error}.", "Check --common-name, --dns, --ip.") from error
    return est_identity(wish) if for_est_identity else wish


def read_request(place: Path) -> bytes:
    """The DER of a request in a file, PEM or DER. Raises MaterialError."""
    der = pkcs10.find(read_file(place, "request"))
    if der is None:
        raise MaterialError(f"{place} holds no certification request.", "Give PKCS #10, as PEM or DER.")
    return der


def read_certificate(place: Path) -> x509.Certificate:
    """The first certificate of a PEM file. Raises MaterialError."""
    try:
        return x509.load_pem_x509_certificate(read_file(place, "certificate"))
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise MaterialError(f"{place} holds no readable certificate.", "Give the certificate as PEM.") from error


def key_file(content: bytes) -> bytes:
    """What a server made as key, as a file: PKCS #8 or the CMS around it, PEM."""
    try:
        return load_der_private_key(content, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise MaterialError("The key that the server made cannot be used here.", "Ask its operator.") from None
