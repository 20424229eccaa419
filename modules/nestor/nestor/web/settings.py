"""What the document says of the port where EST is served. No behavior: `listener.py` and `site.py` act on it."""

from datetime import timedelta
from enum import StrEnum

from nestor.document import Document, Duration, FileReference, Words, described


class ServerCertificateSource(StrEnum):
    """Where the server's own certificate comes from."""

    ISSUED = "issued"
    FILE = "file"
    WORKLOAD = "workload"


class CertificateOrder(StrEnum):
    """In which order /cacerts shows certificates."""

    DER = "der"
    CHAIN = "chain"


class ServerCertificateSettings(Document):
    """The certificate that the server shows in TLS."""

    source: ServerCertificateSource = described(
        "issued: by Nestor's own CA for `hostnames`, and renewed in time. file: one that somebody else made. "
        "workload: by the IoT Edge runtime, below its Edge CA, for this device's host name alone; renewed in time.",
        ServerCertificateSource.ISSUED,
        strict=False,
    )
    lifetime: Duration = described("How long an issued one lives.", timedelta(days=90))
    certificate: FileReference | None = described(
        "For source file: the certificate and its chain, as PEM.", None, examples=["file:server.pem"]
    )
    key: FileReference | None = described(
        "For source file: its private key, as PEM.", None, examples=["file:server-key.pem"]
    )


class LimitSettings(Document):
    """How many connections, and how long each step of one may take. What takes longer is cut off."""

    connections: int = described("Open connections in all.", 2000, ge=8)
    connections_per_address: int = described(
        "Connections served at a time for one address (for IPv6, its /64); more of them wait.", 64, ge=1
    )
    requests_per_connection: int = described("Requests on one connection; the last answer closes it.", 1000, ge=1)
    wait: Duration = described("Waiting for a place among those of one's address.", timedelta(seconds=10))
    handshake: Duration = described("The TLS handshake.", timedelta(seconds=5))
    head: Duration = described(
        "From the handshake, or the first byte, to the end of the headers.", timedelta(seconds=5)
    )
    body: Duration = described("From the headers to the end of the body.", timedelta(seconds=5))
    request: Duration = described("From the headers to the answer.", timedelta(seconds=12))
    answer: Duration = described("Until the client has taken the answer.", timedelta(seconds=10))
    idle: Duration = described("From an answer to the next request on the same connection.", timedelta(seconds=15))
    lifetime: Duration = described("A connection in all; the first answer after that closes it.", timedelta(hours=1))


class OperationsSettings(Document):
    """Where those who watch over this server ask: /metrics, /healthz and /readyz, in plain HTTP.

    Nothing secret is told there: no device, no address, no key. Everybody who reaches the port may read it.
    """

    addresses: Words = described(
        "IP addresses and host names to listen on; * for every one, as by default in a container. Left out, nowhere.",
        (),
        examples=["127.0.0.1"],
    )
    port: int = described("The TCP port; 0 for any free one.", 9600, ge=0, le=65_535)


class ListenerSettings(Document):
    """Where EST is served, under which names, and how patiently."""

    addresses: Words = described(
        "IP addresses and host names to listen on; * for every one. By default this machine alone can connect.",
        ("localhost",),
        examples=["10.3.0.7, ::1"],
    )
    port: int = described("The TCP port; 0 for any free one.", 8085, ge=0, le=65_535)
    hostnames: Words = described(
        "DNS names and IP addresses by which devices know this server; an issued server certificate holds them.",
        ("localhost", "127.0.0.1", "::1"),
        examples=["gw3.plant.example, 10.3.0.7"],
    )
    server_certificate: ServerCertificateSettings = described(
        "The certificate that the server shows.", default_factory=lambda: ServerCertificateSettings.model_validate({})
    )
    cacerts_order: CertificateOrder = described(
        "How /cacerts is sorted. der: as DER wants it. chain: issuing CA first, for clients that rely on it.",
        CertificateOrder.DER,
        strict=False,
    )
    limits: LimitSettings = described("How many, how long.", default_factory=lambda: LimitSettings.model_validate({}))
