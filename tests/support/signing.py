"""Certificates and revocation lists made in memory for one test; every part of them can be made wrong on purpose."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID

from nestor.est import pkcs10
from nestor.model import CertificationRequest
from support.asking import NOW, subject

CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_DAY = timedelta(days=1)
_serials = itertools.count(1000)


@dataclass(frozen=True)
class Signed:
    """A certificate and its key; it may sign others, whether it ought to or not."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, common_name: str | x509.Name, **wishes: Any) -> "Signed":
        """Sign a certificate for somebody."""
        return sign(common_name, issuer=self, **wishes)

    def revoke(self, *serials: int, start: datetime = NOW - _DAY, end: datetime = NOW + _DAY, **extra: Any) -> bytes:
        """A revocation list, as PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(start).next_update(end)
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(start).build()
            builder = builder.add_revoked_certificate(revoked)
        for extension in extra.get("critical", ()):
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(extra.get("key", self.key), hashes.SHA256()).public_bytes(Encoding.PEM)


def sign(
    common_name: str | x509.Name,
    *,
    issuer: Signed | None = None,
    ca: bool | None = False,
    path_length: int | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
    start: datetime = NOW - _DAY,
    end: datetime = NOW + 29 * _DAY,
    serial: int | None = None,
    key: Any = None,
    issuer_name: x509.Name | None = None,
) -> Signed:
    """Sign a certificate, by itself where no issuer is given; `ca=None` leaves the basic constraints out."""
    own_key = key or ec.generate_private_key(ec.SECP256R1())
    name = subject(common_name) if isinstance(common_name, str) else common_name
    above = issuer.certificate.subject if issuer else name
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=issuer_name or above)
        .public_key(own_key.public_key())
        .serial_number(serial or next(_serials))
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signing_key = issuer.key if issuer else own_key
    algorithm = None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Signed(builder.sign(signing_key, algorithm), own_key)


def root(common_name: str = "Root", **wishes: Any) -> Signed:
    """A self-signed CA certificate."""
    return sign(common_name, ca=True, **wishes)


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key of a size, be it too short."""
    return rsa.generate_private_key(65537, bits)


def key_usage(*bits: str) -> x509.KeyUsage:
    """A key usage extension with these bits, by their names in cryptography."""
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in bits for name in names.split()})


def request(
    common_name: str, challenge_password: str | None = None, *, break_signature: bool = False
) -> CertificationRequest:
    """A request that was really signed and really read."""
    builder = x509.CertificateSigningRequestBuilder(subject_name=subject(common_name))
    if challenge_password is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge_password.encode())
    der = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    return pkcs10.read(der[:-1] + bytes([der[-1] ^ 1]) if break_signature else der)
