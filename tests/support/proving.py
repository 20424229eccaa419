"""The proving ground of the conformance tests: a CA, factories, users, and a label for every rule."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.device import Device, Identity
from support.server import Server
from support.shapes import est_identity, p256
from support.signing import CLIENT, Signed, key_usage, sign

NOW = datetime.now(UTC)  # noqa: TID251 -- the servers live now
DAY = timedelta(days=1)
KEK = bytes(range(32))
KEK_ID = "kek-2026-01"
PASSWORD = "grün:0815 ✓"
REVOKED_SERIAL = 4711
NAMES = ("localhost", "127.0.0.1", "nestor.plant.example")


@dataclass(frozen=True)
class Factory:
    """A maker of devices: its CA, and certificates in every state of repair."""

    ca: Signed

    def make(self, name: str, *extensions: x509.ExtensionType, **wishes: Any) -> Identity:
        """A factory certificate; clientAuth unless other extensions are given."""
        life = {"start": NOW - DAY, "end": NOW + 30 * DAY}
        signed = self.ca.sign(name, extensions=extensions or (CLIENT,), **{**life, **wishes})
        return Identity(signed.certificate, signed.key)


@dataclass(frozen=True)
class Place:
    """A running server and those who know it."""

    server: Server
    issuing: Signed
    top: Signed
    factory: Factory
    strict_factory: Factory
    works_factory: Factory

    @property
    def stranger(self) -> Device:
        """Somebody without any credentials."""
        return self.server.device()

    @property
    def line(self) -> Device:
        """Somebody with a password that is good for every name and profile."""
        return self.stranger.but(user=("line", PASSWORD))

    def enrolled(self, name: str) -> Device:
        """A device that has its EST identity."""
        return self.stranger.but(identity=self.line.enrolled(est_identity(name)))

    def from_factory(self, name: str, *extensions: x509.ExtensionType, **wishes: Any) -> Device:
        """A device that shows its factory certificate."""
        return self.stranger.but(identity=self.factory.make(name, *extensions, **wishes))


def lay_out(directory: Path, order: str) -> Place:
    """Lay out the files of a plant, and put a server before them."""
    top = _ca("Plant Root")
    place = Place(
        Server(directory, _document(order)),
        _ca("Plant Issuing CA", top, 1),
        top,
        Factory(_ca("Factory")),
        Factory(_ca("Strict Factory")),
        Factory(_ca("Works Factory")),
    )
    current = place.factory.ca.revoke(REVOKED_SERIAL, start=NOW - DAY, end=NOW + DAY)
    stale = place.strict_factory.ca.revoke(start=NOW - 3 * DAY, end=NOW - DAY)
    contents = {
        "ca.pem": place.issuing.pem,
        "ca.key": _key_pem(place.issuing),
        "root.pem": place.top.pem,
        "factory.pem": place.factory.ca.pem,
        "factory.crl": current,
        "strict.pem": place.strict_factory.ca.pem,
        "strict.crl": stale,
        "works.pem": place.works_factory.ca.pem,
        "kek": KEK,
    }
    for name, content in contents.items():
        file = place.server.data / name
        file.write_bytes(content)
        file.chmod(0o600)
    (directory / "anchor.pem").write_bytes(place.top.pem)
    place.server.add_user("line", PASSWORD, "*", profiles=("*",))
    return place


def _document(order: str) -> dict[str, Any]:
    keys = {"enabled": True, "keyEncryptionKeys": {KEK_ID: "file:kek"}}
    return {
        "listener": {"hostnames": ", ".join(NAMES), "cacertsOrder": order},
        "ca": {
            "source": "file",
            "certificate": "file:ca.pem",
            "chain": "file:root.pem",
            "key": "file:ca.key",
        },
        "profiles": {
            "large": {"keys": "ec-p384", "serverKey": "ec-p384", "authenticates": True, "renewable": True},
            "rsaOnly": {"keys": "rsa", "rsaMinimum": 3072, "serverKey": "rsa"},
            "branded": {"keys": "ec-p256", "subject": {"add": {"O": "Contoso OT"}}},
            "quantum": {"keys": "ml-dsa-65", "serverKey": "ml-dsa-65"},
            "freshKeys": {"keyReuse": False, "authenticates": True, "renewable": True},
        },
        "access": {
            "gateways": "gw-*",
            "bootstrap": {
                "factory": {"anchors": "file:factory.pem", "crls": "file:factory.crl", "profiles": "*"},
                "strict": {
                    "anchors": "file:strict.pem",
                    "crls": "file:strict.crl",
                    "requireCrl": True,
                    "allowWithoutEku": False,
                },
                "works": {"anchors": "file:works.pem", "names": "works-*"},
            },
        },
        "labels": {
            "by-certificate": {"authentication": "certificate"},
            "by-password": {"authentication": "password"},
            "by-either": {"authentication": "certificateOrPassword"},
            "by-both": {"authentication": "certificateAndPassword"},
            "strict": {"lenientBody": False},
            "linked": {"linking": True},
            "code": {"challengePassword": "oneTimeCode"},
            "device": {"profile": "deviceIdentity"},
            "est": {"profile": "estIdentity"},
            "edge-ca": {"profile": "edgeCa"},
            "large": {"profile": "large", "enforceCsrAttributes": True},
            "rsa": {"profile": "rsaOnly"},
            "branded": {"profile": "branded"},
            "quantum": {"profile": "quantum"},
            "fresh": {"profile": "freshKeys"},
            "keys": {"profile": "deviceIdentity", "serverKeyGeneration": keys},
            "large-keys": {"profile": "large", "serverKeyGeneration": keys},
        },
    }


def _ca(name: str, issuer: Signed | None = None, path_length: int | None = None) -> Signed:
    key = p256()
    above = issuer.key if issuer else key
    extensions = (
        key_usage("key_cert_sign", "crl_sign"),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()),
    )
    life: dict[str, Any] = {"start": NOW - DAY, "end": NOW + 3650 * DAY}
    return sign(name, issuer=issuer, ca=True, path_length=path_length, extensions=extensions, key=key, **life)


def _key_pem(signed: Signed) -> bytes:
    return bytes(signed.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
