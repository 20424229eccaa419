"""What a CA issues in tests: a root of the tests' day, orders, drafts, certificates; usual unless told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.ca.builtin import BUILT_IN
from nestor.ca.catalog import Catalog, build_catalog
from nestor.ca.content import Content, Key, settle
from nestor.ca.hierarchy import make_root
from nestor.ca.issuer import Issuer
from nestor.ca.lint import check_signed, lint
from nestor.ca.own_names import own_names
from nestor.ca.prepare import Draft, prepare
from nestor.ca.profile import Profile
from nestor.ca.serials import serial_number
from nestor.ca.settings import ProfileSettings
from nestor.ca.tbs import encode_certificate
from nestor.model import BasicConstraints, CertificationRequest, KeyType, KeyUsage, Order, Terms
from nestor.naming import device_id
from support.asking import NOW, csr

CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
OWN = own_names(["gw3.plant.example", "10.0.0.3"])
SERIAL = serial_number(bytes(range(20)))
DAY = timedelta(days=1)

EDGE_CA: dict[str, Any] = {
    "basic_constraints": BasicConstraints(ca=True, path_length=0),
    "key_usage": frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}),
}
"""What edged asks for."""

LAYER_CA: dict[str, Any] = {
    "basic_constraints": BasicConstraints(ca=True, path_length=1),
    "key_usage": frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}),
}
"""What the Nestor of a layer asks for."""

_OF_A_CA = {"edgeCa": EDGE_CA, "layerCa": LAYER_CA}


@dataclass
class HandClock:
    """Clocks that stand until somebody moves them."""

    wall: datetime = NOW
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, time: timedelta) -> None:
        """Let time pass on both."""
        self.wall += time
        self.seconds += time.total_seconds()


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@cache
def root(subject: str = "CN=Root", years: int = 20) -> Issuer:
    """A P-256 root that began a day before the tests' noon."""
    key = ec.generate_private_key(ec.SECP256R1())
    return make_root(key, subject, lifetime=years * 365 * DAY, now=NOW - DAY, serial=SERIAL)


@cache
def catalog() -> Catalog:
    return build_catalog({})


def profile(name: str = "deviceIdentity", **document: object) -> Profile:
    """A profile of the document, laid over a built-in one of that name."""
    return changed({name: document})[name]


def changed(profiles: dict[str, dict[str, object]]) -> Catalog:
    """The catalog of a document."""
    return build_catalog({name: ProfileSettings.model_validate(document) for name, document in profiles.items()})


def request(*common_names: str, key: Any = None, **fields: Any) -> CertificationRequest:
    """A request that was read, with a real key: P-256 unless another is given."""
    public = (key or ec_key()).public_key()
    kind = key_type_of(public)
    bits = getattr(public, "key_size", 256)
    return csr(*common_names, **{"public_key": public, "key_type": kind, "key_name": kind, "key_bits": bits, **fields})


def key_type_of(public: Any) -> KeyType:
    if isinstance(public, rsa.RSAPublicKey):
        return KeyType.RSA
    if isinstance(public, ed25519.Ed25519PublicKey):
        return KeyType.ED25519
    return {256: KeyType.EC_P256, 384: KeyType.EC_P384, 521: KeyType.EC_P521}[public.key_size]


def order(
    asked: CertificationRequest, profile_name: str = "deviceIdentity", names: tuple[x509.GeneralName, ...] = ()
) -> Order:
    """A request that was admitted as it asked."""
    return Order(asked, profile_name, device_id(asked.common_name), "default", Terms(), asked.subject, names)


def asked_for(name: str, key: Any = None) -> CertificationRequest:
    """What is usually asked for under a built-in profile."""
    common_name = {"edgeCa": "aziot-edge CA dev1", "layerCa": "Nestor CA dev1", "server": "srv1.plant.example"}.get(
        name, "dev1"
    )
    return request(common_name, key=key, **_OF_A_CA.get(name, {}))


def content(
    kind: Profile, asked: CertificationRequest, names: tuple[x509.GeneralName, ...] = (), own: Any = OWN
) -> Content:
    """What a certificate for that request says."""
    return settle(kind, order(asked, kind.name, names), key_of(asked), own)


def key_of(asked: CertificationRequest) -> Key:
    assert asked.public_key is not None
    assert asked.key_type is not None
    return Key(asked.public_key, asked.key_type)


def draft(what: Content, issuer: Issuer | None = None, **wishes: Any) -> Draft:
    """A certificate but for its signature."""
    given = {"now": NOW, "serial": SERIAL, "jitter": 0.0, **wishes}
    return prepare(what, issuer or root(), **given)


def sign(drafted: Draft, issuer: Issuer | None = None, own: Any = OWN) -> x509.Certificate:
    """Lint a draft, sign it, check it."""
    by = issuer or root()
    lint(drafted, by, own)
    certificate = x509.load_der_x509_certificate(
        encode_certificate(drafted.tbs, by.algorithm.der, by.sign(drafted.tbs))
    )
    check_signed(certificate, drafted, by)
    return certificate


def issue(name: str, key: Any = None, issuer: Issuer | None = None) -> x509.Certificate:
    """A usual certificate of a built-in profile."""
    return sign(draft(content(catalog()[name], asked_for(name, key)), issuer), issuer)


BUILT_IN_NAMES = tuple(BUILT_IN)
