"""The certificates of an IoT Edge device: a root, its Edge CA, server certificates as the runtime issues them."""

import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_DAYS = 90
_SERVER_DAYS = 30
_BACKDATED = timedelta(minutes=5)
_CA_USES = {"key_cert_sign", "digital_signature"}
_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A server certificate with its chain and its key, as PEM."""

    chain: str
    key: str
    expiration: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """Its certificate."""
        return _pem(self.certificate)


@dataclass(frozen=True, slots=True)
class EdgePKI:
    """The root of a site and the Edge CA of one device."""

    root: Authority
    edge_ca: Authority

    @property
    def trust_bundle(self) -> str:
        """What the workload API hands to modules: the Edge CA, and what the operator trusts."""
        return self.edge_ca.pem + self.root.pem

    def renewed(self, device: str, now: datetime, *, root: bool) -> "EdgePKI":
        """The same device with a new Edge CA; under a new root if told so."""
        return make_pki(device, now) if root else EdgePKI(self.root, _edge_ca(self.root, device, now))

    def server(self, common_name: str, names: Sequence[str], now: datetime) -> ServerCertificate:
        """A server certificate like aziot-edged's: RSA-2048, serverAuth and names, nothing else; 30 days at most."""
        key = rsa.generate_private_key(65537, 2048)
        issuer = self.edge_ca.certificate
        expiration = min(now + timedelta(days=_SERVER_DAYS), issuer.not_valid_after_utc)
        certificate = (
            _builder(common_name, key.public_key(), now - _BACKDATED, expiration)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys((common_name, *names))]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.edge_ca.key.public_key()), critical=False
            )
            .issuer_name(issuer.subject)
            .sign(self.edge_ca.key, hashes.SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return ServerCertificate(_pem(certificate) + self.edge_ca.pem, pem, expiration)


def make_pki(device: str, now: datetime) -> EdgePKI:
    """A new root, and an Edge CA below it."""
    root = _authority("Stand-in root", None, None, now)
    return EdgePKI(root, _edge_ca(root, device, now))


def server_context(identity: ServerCertificate) -> ssl.SSLContext:
    """TLS for edgeHub; the key is on disk only while OpenSSL reads it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as place:
        pem = Path(place, "server.pem")
        pem.touch(mode=0o600)
        pem.write_text(identity.chain + identity.key, "ascii")
        context.load_cert_chain(pem)
    return context


def _edge_ca(root: Authority, device: str, now: datetime) -> Authority:
    return _authority(f"aziot-edge CA {device}", root, 0, now)


def _authority(common_name: str, issuer: Authority | None, path_length: int | None, now: datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    builder = (
        _builder(common_name, key.public_key(), now - _BACKDATED, now + timedelta(days=_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in _CA_USES for use in _USES}), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    subject = issuer.certificate.subject if issuer else _name(common_name)
    return Authority(builder.issuer_name(subject).sign(signer, hashes.SHA256()), key)


def _builder(
    common_name: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=_name(common_name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
