"""The client side: requests that were made beforehand, and a crowd that brings them to a server.

No request is sent twice: the second would get the certificate of the first. No device asks thousands of times either,
since no device does; those with a certificate take turns in renewing it.
"""

import asyncio
import base64
import http.client
import itertools
import ssl
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL

from benchmarks.lines import Line, client_context
from benchmarks.processes import Nestor

ENROLL = "/.well-known/est/simpleenroll"
BASIC = "Basic " + base64.b64encode(b"estuser:estpwd").decode()
"""The Authorization header of the tutorial's user."""

_NUMBERS = itertools.count()


class Counted(Protocol):
    """What answers on a port, and how much CPU it has spent: one process, or several."""

    port: int

    def cpu(self) -> float:
        """Seconds of CPU."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One connection and what is asked on it; without a request it ends with the handshake."""

    context: SSL.Context
    request: bytes | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a crowd saw: a rate, latencies, the server's CPU per operation, and the share of a core it took itself."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    client_share: float


def measure(server: Counted, visits: Sequence[Visit], crowd: int, *, keep: bool = False) -> Seen:
    """Let a crowd make visits, each on a new connection, or all of a visitor on one that stands beforehand."""
    return asyncio.run(_measure(server, visits, crowd, keep=keep))


async def _measure(server: Counted, visits: Sequence[Visit], crowd: int, *, keep: bool) -> Seen:
    context = visits[0].context
    kept = [await Line.open(context, server.port) if keep else None for _ in range(crowd)]
    waited: list[float] = []
    left = iter(visits)
    began, own, spent = time.perf_counter(), time.process_time(), server.cpu()
    await asyncio.gather(*(_visit(server.port, left, line, waited) for line in kept))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(waited, n=100, method="inclusive")
    return Seen(
        rate=len(visits) / took,
        p50_ms=cuts[49] * 1e3,
        p99_ms=cuts[98] * 1e3,
        cpu_us=(server.cpu() - spent) / len(visits) * 1e6,
        client_share=(time.process_time() - own) / took,
    )


async def _visit(port: int, visits: Iterator[Visit], kept: Line | None, waited: list[float]) -> None:
    for visit in visits:
        started = time.perf_counter()
        line = kept or await Line.open(visit.context, port)
        if visit.request is not None:
            check(*await line.ask(visit.request))
        waited.append(time.perf_counter() - started)
        if kept is None:
            line.close()
    if kept is not None:
        kept.close()


def check(status: int, content: bytes) -> None:
    """End the benchmark with the server's own sentence, unless it gave what was asked for."""
    if status != http.client.OK:
        sys.exit(f"error: {status} {content.decode()}")


class Plant:
    """Devices of one Nestor: one user who enrolls new ones by password, and some that renew their certificates."""

    def __init__(self, nestor: Nestor, devices: int) -> None:
        self.anonymous = client_context(nestor.anchor)
        self._devices = [self._enroll(nestor, f"device-{number}") for number in range(devices)]
        self._turn = itertools.cycle(self._devices)

    def handshakes(self, count: int) -> list[Visit]:
        """Connections without a client certificate on which nothing is asked."""
        return [Visit(self.anonymous)] * count

    def handshakes_by_certificate(self, count: int) -> list[Visit]:
        """Connections with client certificates on which nothing is asked."""
        return [Visit(context) for _, context in itertools.islice(self._turn, count)]

    def enrollments(self, count: int) -> list[Visit]:
        """New devices, by password."""
        bodies = (request(f"new-{next(_NUMBERS)}", est_identity=False)[1] for _ in range(count))
        return [Visit(self.anonymous, post(body, BASIC)) for body in bodies]

    def renewals(self, count: int) -> list[Visit]:
        """EST identities that renew themselves, each with a new key."""
        turns = itertools.islice(self._turn, count)
        return [Visit(context, post(request(name, est_identity=True)[1])) for name, context in turns]

    @staticmethod
    def _enroll(nestor: Nestor, name: str) -> tuple[str, SSL.Context]:
        key, body = request(name, est_identity=True)
        client = Client(nestor)
        connection = client.connect()
        (certificate,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(client.post(connection, body)))
        connection.close()
        place = nestor.place / f"{name}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        place.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        return name, client_context(nestor.anchor, place)


class Client:
    """One who asks by the tutorial's password, one thing after the other."""

    def __init__(self, nestor: Nestor) -> None:
        self._port = nestor.port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(nestor.anchor)

    def connect(self) -> http.client.HTTPSConnection:
        """A new connection, its handshake done."""
        connection = http.client.HTTPSConnection("localhost", self._port, context=self._context, timeout=30)
        connection.connect()
        return connection

    def post(self, connection: http.client.HTTPSConnection, body: bytes) -> bytes:
        """Ask for a certificate."""
        connection.request("POST", ENROLL, body, {"Content-Type": "application/pkcs10", "Authorization": BASIC})
        response = connection.getresponse()
        content = response.read()
        check(response.status, content)
        return content


def post(body: bytes, authorization: str | None = None) -> bytes:
    """A request for a certificate as it goes over the wire."""
    head = f"POST {ENROLL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n"
    head += f"Authorization: {authorization}\r\n" if authorization else ""
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def request(name: str, *, est_identity: bool) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A new P-256 key and its request, in the shape of an EST identity or of a device identity."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, sign_request(key, name, est_identity=est_identity)


def sign_request(key: ec.EllipticCurvePrivateKey, name: str, *, est_identity: bool) -> bytes:
    """A request for a key, as it stands in the body."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if est_identity:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return base64.encodebytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
