"""One thing that is wrong with somebody else's EST server: changes of a sound one, each in one way."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.est import pkcs7
from support import pki
from support.device import CERTS_ONLY, wrapped
from support.foreign import Foreign
from support.stub import Heard, Reply, certs_only

Change = Callable[[Foreign], object]
_BEFORE_ENROLLING = 2
"""A visit posts this often before it enrolls: as a stranger, and with a wrong password."""


def answering(**changes: Any) -> Change:
    """An enrollment is answered in another way: another status, other headers."""
    return lambda server: setattr(server, "enrolled", lambda certificate: certs_only(certificate, **changes))


def typed(content_type: str) -> Change:
    """An enrollment is answered in another media type."""
    return answering(headers={"Content-Type": content_type})


def with_body(make: Callable[[x509.Certificate], bytes]) -> Change:
    """An enrollment is answered with another body."""

    def answer(certificate: x509.Certificate) -> Reply:
        return replace(certs_only(certificate), body=make(certificate))

    return lambda server: setattr(server, "enrolled", answer)


def bare(certificate: x509.Certificate) -> bytes:
    """The answer without its base64."""
    return pkcs7.certs_only([certificate])


def pem(certificate: x509.Certificate) -> bytes:
    """The certificate itself."""
    return certificate.public_bytes(Encoding.PEM)


def issuing(**changes: Any) -> Change:
    """In every certificate something is changed."""
    return lambda server: setattr(server, "issue", lambda csr: server.certify(csr, **changes))


def from_stranger(server: Foreign) -> None:
    """What is issued comes from a CA that /cacerts does not show."""
    issuing(ca=pki.authority("Stranger"))(server)


def in_an_hour(server: Foreign) -> None:
    """What is issued is not valid yet."""
    issuing(start=pki.yesterday() + timedelta(days=1, hours=1))(server)


def weeks_ago(server: Foreign) -> None:
    """What is issued has lived most of its life."""
    issuing(start=pki.yesterday() - timedelta(days=25))(server)


def in_order(*certificates: x509.Certificate) -> Reply:
    """Certificates in this order, be it DER's or not."""
    return Reply(200, wrapped(pkcs7.certs_only(certificates, chain_order=True)), {"Content-Type": CERTS_ONLY})


def before_its_issuer(server: Foreign) -> None:
    """The issuer comes along, behind the certificate."""
    server.enrolled = lambda certificate: in_order(certificate, server.ca.certificate)


def behind_its_issuer(server: Foreign) -> None:
    """The issuer comes along, before the certificate."""
    server.enrolled = lambda certificate: in_order(server.ca.certificate, certificate)


def showing(reply: Reply) -> Change:
    """/cacerts is answered in another way."""
    return lambda server: server.answers.update(cacerts=reply)


def slash_needed(server: Foreign) -> None:
    """/cacerts is served at /cacerts/ only."""
    server.answers["cacerts/"] = server.answers.pop("cacerts")


def one_thing_at_a_time(server: Foreign) -> None:
    """/cacerts has no answer to give from the moment on when certificates are issued."""
    usual, busy = server.issue, threading.Event()

    def issue(csr: x509.CertificateSigningRequest) -> x509.Certificate:
        busy.set()
        time.sleep(0.3)
        return usual(csr)

    def cacerts(_: Heard) -> Reply:
        posted = sum(heard.method == "POST" for heard in server.heard)
        if posted >= _BEFORE_ENROLLING and busy.wait(0.5):
            return Reply(503, b"Busy.", {"Content-Type": "text/plain"})
        return certs_only(server.ca.certificate)

    server.issue = issue
    server.answers["cacerts"] = cacerts


def any_password(server: Foreign) -> None:
    """Whoever names himself is let in."""
    server.knows = lambda heard: "authorization" in heard.headers or heard.peer is not None


def slow(seconds: float) -> Change:
    """/cacerts takes its time."""

    def cacerts(_: Heard) -> Reply:
        time.sleep(seconds)
        return Reply(503)

    return lambda server: server.answers.update(cacerts=cacerts)
