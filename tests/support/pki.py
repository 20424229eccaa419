"""Certificate authorities of the present day, for tests that do TLS: fast P-256 keys, chains, files on disk.

Certificates that are wrong on purpose, or live at another time, are made by `signing`.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.device import Identity

_YEARS = 3650


@dataclass(frozen=True)
class CA:
    """A CA, and what those below it send beside their own certificates."""

    certificate: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...] = ()

    def issue(
        self,
        common_name: str,
        *,
        key: Any = None,
        alternative_names: Sequence[str] = (),
        client: bool = True,
        server: bool = False,
        ca: bool = False,
        path_length: int | None = None,
        days: float = 30,
        not_before: datetime | None = None,
        extended_key_usage: x509.ExtendedKeyUsage | None = None,
    ) -> Identity:
        """Issue a certificate; names that are IP addresses become such. `extended_key_usage` overrules the flags."""
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH] * client + [ExtendedKeyUsageOID.SERVER_AUTH] * server
        extensions: list[x509.ExtensionType] = [
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        ]
        if alternative_names:
            extensions.append(x509.SubjectAlternativeName([_general_name(name) for name in alternative_names]))
        if extended_key_usage or (usages and not ca):
            extensions.append(extended_key_usage or x509.ExtendedKeyUsage(usages))
        own_key = key or ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=ca, path_length=path_length)
        builder = _certificate(common_name, own_key, not_before or yesterday(), days, constraints)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.issuer_name(self.certificate.subject).sign(self.key, hashes.SHA256())
        return Identity(certificate, own_key, self.chain)

    def intermediate(self, common_name: str, *, path_length: int | None = None) -> "CA":
        """A CA below this one; everything below it sends its certificate along."""
        below = self.issue(common_name, ca=True, days=_YEARS, path_length=path_length)
        return CA(below.certificate, below.key, (below.certificate, *self.chain))

    def expired(self, common_name: str, **wishes: Any) -> Identity:
        """A certificate whose time ended yesterday."""
        return self.issue(common_name, days=29, not_before=yesterday() - timedelta(days=29), **wishes)

    def pem(self) -> bytes:
        """The CA certificate."""
        return pem(self.certificate)

    def write(self, directory: Path, name: str = "anchor.pem") -> Path:
        """Write the CA certificate as an anchor file, and tell where."""
        place = directory / name
        place.write_bytes(self.pem())
        return place


def authority(common_name: str = "Root") -> CA:
    """A root."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(common_name, key, yesterday(), _YEARS, x509.BasicConstraints(ca=True, path_length=None))
    return CA(builder.issuer_name(_name(common_name)).sign(key, hashes.SHA256()), key)


def write(directory: Path, identity: Identity) -> tuple[Path, Path]:
    """Write a certificate with its chain, and its key, as PEM; tells where both are."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    chain = (identity.certificate, *identity.chain)
    certificate.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    key.write_bytes(identity.pem)
    return certificate, key


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def yesterday() -> datetime:
    """This time yesterday."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)  # noqa: TID251 -- TLS lives now


def _certificate(
    common_name: str, key: Any, start: datetime, days: float, constraints: x509.BasicConstraints
) -> x509.CertificateBuilder:
    usages = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    ca = constraints.ca
    usage = x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **usages)
    return (
        x509.CertificateBuilder(subject_name=_name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
