"""A server below two lines: forwarders of a CA of their own, devices of both lines, and requests as they are conveyed.

The headers are written here by hand: what the product writes is not what it is to be measured by.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from support.answers import Answer, answer_of
from support.device import PKCS10, Device, Identity, wrapped
from support.proving import DAY, KEK, KEK_ID, NOW, PASSWORD, Factory
from support.server import Server
from support.shapes import CMC_RA, Request, est_identity
from support.signing import Signed, key_usage, root, sign

SPEAKS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, CMC_RA])
"""What a forwarder's certificate is for."""

Header = tuple[str, str]
_LIFE = {"start": NOW - DAY, "end": NOW + 30 * DAY}


@dataclass(frozen=True)
class Tower:
    """The server, the CA that makes forwarders, and the maker of devices."""

    server: Server
    layer: Signed
    factory: Factory

    @property
    def line(self) -> Device:
        """Somebody with a password that is good for every name."""
        return self.server.device(user=("line", PASSWORD))

    def forwarder(self, name: str = "nestor-line1", issuer: Signed | None = None, **wishes: Any) -> Device:
        """A forwarder, by its common name."""
        usages = wishes.pop("usages", SPEAKS)
        signed = (issuer or self.layer).sign(name, extensions=[usages], **{**_LIFE, **wishes})
        return self.server.device(identity=Identity(signed.certificate, signed.key))

    def enrolled(self, name: str) -> Identity:
        """The EST identity of a device, got without a forwarder."""
        return self.line.enrolled(est_identity(name))


def lay_out_tower(directory: Path) -> Tower:
    """Lay out the files, and put a server before them."""
    layer = root("Layer CA", extensions=[key_usage("key_cert_sign")], start=NOW - DAY, end=NOW + 300 * DAY)
    factory = Factory(root("Factory", extensions=[key_usage("key_cert_sign")], start=NOW - DAY, end=NOW + 300 * DAY))
    line1 = {
        "subject": "CN=nestor-line1",
        "anchors": "file:layer.pem",
        "names": "line1-*, *.line1.example",
        "labels": "default, by-*, linked, keys",
        "issuers": "own, factory",
        "statements": True,
    }
    line2 = {"subject": "CN=nestor-line2", "anchors": "file:layer.pem", "names": "line2-*"}
    server = Server(
        directory,
        {
            "access": {
                "bootstrap": {
                    "factory": {"anchors": "file:factory.pem"},
                    "works": {"anchors": "file:works.pem"},
                },
                "forwarders": {"line1": line1, "line2": line2},
                "gateways": "line1-gw*",
            },
            "labels": {
                "by-certificate": {"authentication": "certificate"},
                "by-password": {"authentication": "password"},
                "by-both": {"authentication": "certificateAndPassword"},
                "linked": {"linking": True},
                "other": {},
                "keys": {
                    "profile": "deviceIdentity",
                    "serverKeyGeneration": {"enabled": True, "keyEncryptionKeys": {KEK_ID: "file:kek"}},
                },
            },
        },
    )
    works = root("Works", start=NOW - DAY, end=NOW + 300 * DAY)
    contents = {"layer.pem": layer.pem, "factory.pem": factory.ca.pem, "works.pem": works.pem, "kek": KEK}
    for name, content in contents.items():
        (server.data / name).write_bytes(content)
        (server.data / name).chmod(0o600)
    server.add_user("line", PASSWORD, "*")
    return Tower(server, layer, factory)


def in_header(certificate: x509.Certificate) -> str:
    """A certificate as RFC 9440 writes it."""
    return f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"


def told_of(identity: Identity, *more: Header) -> Sequence[Header]:
    """The headers that convey a device by its certificate."""
    chain = [("Client-Cert-Chain", in_header(link)) for link in identity.chain]
    return [("Client-Cert", in_header(identity.certificate)), *chain, *more]


def stated(user: str, label: str = "default", method: str = "password") -> Sequence[Header]:
    """The header that states who asked by a password."""
    return [("Nestor-Requester", f'method="{method}", user="{user}", label="{label}"')]


def hops(*names: str) -> Header:
    """The header of the hops."""
    return "Nestor-Hops", ", ".join(f'"{name}"' for name in names)


def convey(
    sender: Device, headers: Sequence[Header], request: Request | bytes, operation: str = "simpleenroll"
) -> Answer:
    """Send a request with headers that may be there more than once."""
    body = request if isinstance(request, bytes) else wrapped(request.der)
    connection = sender.connect()
    try:
        connection.putrequest("POST", sender.path(operation))
        for name, value in (("Content-Type", PKCS10), ("Content-Length", str(len(body))), *headers):
            connection.putheader(name, value)
        connection.endheaders(body)
        return answer_of(connection.getresponse())
    finally:
        connection.close()


def alone(name: str, issuer: Signed | None = None, **wishes: Any) -> Identity:
    """A device certificate that this server did not issue."""
    signed = sign(name, issuer=issuer, **{**_LIFE, **wishes})
    return Identity(signed.certificate, signed.key)
