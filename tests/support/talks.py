"""Connections as the doctor sees them, made up for one judgement; usual unless told."""

from collections.abc import Sequence
from typing import Any

from cryptography import x509

from nestor.doctor.seen import Alert, Answer, Ending, Session, Talk, Version
from nestor.est import pkcs7
from nestor.finding import Finding, Gravity
from support.asking import NOW
from support.device import CERTS_ONLY, wrapped


def answered(status: int = 200, body: bytes = b"", seconds: float = 0.1, **headers: str) -> Talk:
    """An answer; underscores in header names stand for hyphens."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Talk(Ending.ANSWERED, seconds, answer=Answer(status, named, body, NOW))


def showing(*certificates: x509.Certificate, **changes: Any) -> Talk:
    """Certificates, in this order."""
    body = wrapped(pkcs7.certs_only(certificates, chain_order=True))
    return answered(**{"body": body, "Content_Type": CERTS_ONLY, **changes})


def shaken(version: Version = Version.TLS_1_3, *, wanted: bool = True, **more: Any) -> Talk:
    """A handshake that came to its end, and what became of it afterwards."""
    return Talk(**{"ending": Ending.ANSWERED, "session": Session(version, ()), "wanted_certificate": wanted, **more})


def refused(number: int, *, wanted: bool = False, sent: bool = False, session: Session | None = None) -> Talk:
    """A connection that one side broke off by an alert."""
    return Talk(Ending.TLS_BROKEN, 0.1, session, (Alert(number, sent=sent),), wanted, words="some reason")


def said(findings: Sequence[Finding], gravity: Gravity) -> list[str]:
    """The sentences of a gravity."""
    return [finding.sentence for finding in findings if finding.gravity is gravity]


def problems(findings: Sequence[Finding]) -> list[str]:
    """What does not work."""
    return said(findings, Gravity.PROBLEM)


def warnings(findings: Sequence[Finding]) -> list[str]:
    """What somebody will stumble over."""
    return said(findings, Gravity.WARNING)


def has(told: Sequence[str], *parts: str) -> bool:
    """Whether these sentences are all there are, each known by a part of it."""
    return len(told) == len(parts) and all(part in sentence for part, sentence in zip(parts, told, strict=True))
