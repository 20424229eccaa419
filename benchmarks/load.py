"""The client side: handshakes and enrollments, one after another, with requests that were made beforehand."""

import base64
import http.client
import itertools
import ssl
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from benchmarks.processes import Nestor

_PATH = "/.well-known/est/simpleenroll"
_BASIC = "Basic " + base64.b64encode(b"estuser:estpwd").decode()
_NUMBERS = itertools.count()


class Client:
    """Who asks: by the tutorial's password, or by a certificate once it has one."""

    def __init__(self, nestor: Nestor, port: int | None = None, identity: Path | None = None) -> None:
        self._nestor = nestor
        self._port = port or nestor.port
        self.name = f"device-{next(_NUMBERS)}"
        self.identity = identity

    def with_certificate(self) -> Self:
        """Enroll once by password, and keep the EST identity for what follows."""
        key, body = request(self.name, est_identity=True)
        answer = base64.b64decode(self.post(self.connect(), body))
        (certificate,) = pkcs7.load_der_pkcs7_certificates(answer)
        self.identity = self._nestor.place / f"{self.name}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.identity.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        return self

    def connect(self) -> http.client.HTTPSConnection:
        """A new connection, its handshake done."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self._nestor.anchor)
        if self.identity is not None:
            context.load_cert_chain(self.identity)
        connection = http.client.HTTPSConnection("localhost", self._port, context=context, timeout=30)
        connection.connect()
        return connection

    def post(self, connection: http.client.HTTPSConnection, body: bytes) -> bytes:
        """Ask for a certificate; anything but 200 ends the benchmark with the server's own sentence."""
        headers = {"Content-Type": "application/pkcs10"}
        if self.identity is None:
            headers["Authorization"] = _BASIC
        connection.request("POST", _PATH, body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status != http.client.OK:
            raise SystemExit(f"error: {response.status} {content.decode()}")
        return content


def handshake(client: Client, count: int) -> None:
    """Do nothing but TLS handshakes."""
    for _ in range(count):
        client.connect().close()


def enroll(client: Client, count: int, *, keep: bool = False) -> None:
    """Enroll as often as told, each on a new connection or all on one; requests are made beforehand."""
    named = client.identity is not None
    bodies = [request(client.name if named else f"{client.name}-{n}", est_identity=named)[1] for n in range(count)]
    connection = client.connect() if keep else None
    for body in bodies:
        on = connection or client.connect()
        client.post(on, body)
        if connection is None:
            on.close()
    if connection is not None:
        connection.close()


def request(name: str, *, est_identity: bool) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A new P-256 key and its request, in the shape of an EST identity or of a device identity."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if est_identity:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return key, base64.encodebytes(der)
