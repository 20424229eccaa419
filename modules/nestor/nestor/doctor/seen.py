"""What was asked of a server and what was seen of it: frozen values, made by `wire.py`, judged by everybody else."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


@dataclass(frozen=True, slots=True)
class Place:
    """One address that a name stands for."""

    family: socket.AddressFamily
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """What became of a name: the addresses, or why there are none, in the words of the system."""

    places: tuple[Place, ...] = ()
    words: str = ""


class Door(StrEnum):
    """What an address did when it was connected to."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Reached:
    """One try to connect; `words` are the system's where it says more."""

    place: Place
    door: Door
    words: str = ""


class Version(StrEnum):
    """The versions of TLS that aziot-certd speaks."""

    TLS_1_2 = "TLS 1.2"
    TLS_1_3 = "TLS 1.3"


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password, for Basic authentication."""

    user: str
    password: str = field(repr=False)


TLSKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
"""The keys that TLS takes here, and aziot-certd has."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate to be presented in TLS, its key, and the certificates that are sent behind it."""

    certificate: x509.Certificate
    key: TLSKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """By what somebody is known: a password, a certificate, both, or nothing."""

    login: Login | None = None
    identity: Identity | None = None


STRANGER = Credential()
"""Somebody without anything."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request on a connection of its own.

    `version` is the only one to be spoken, or None for both. `believe` sees what the server shows before anything is
    sent to it; where it says no, nothing is.
    """

    method: str
    path: str
    body: bytes | None = None
    credential: Credential = STRANGER
    version: Version | None = None
    believe: Callable[["Session"], bool] | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A TLS alert, sent by this side or received, by its number (RFC 8446, 6)."""

    number: int
    sent: bool = False
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A finished handshake: the version, and the certificates that the server showed, its own first."""

    version: Version
    chain: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP; `at` is this machine's time when it was complete."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: datetime

    def header(self, name: str) -> str | None:
        """A header, whatever its case; None where it is missing."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class Ending(StrEnum):
    """How a connection ended."""

    ANSWERED = "answered"
    UNREACHED = "unreached"
    NO_TLS = "no TLS"
    TLS_BROKEN = "TLS broken"
    CLOSED = "closed"
    SILENT = "silent"
    NO_HTTP = "no HTTP"
    DISBELIEVED = "disbelieved"


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection, from the handshake to the answer or to whatever came in its stead.

    `wanted_certificate`: the server asked for a client certificate. `words` are those of the library or the system.
    """

    ending: Ending
    seconds: float = 0.0
    session: Session | None = None
    alerts: tuple[Alert, ...] = ()
    wanted_certificate: bool = False
    answer: Answer | None = None
    words: str = ""

    @property
    def status(self) -> int | None:
        """The status of the answer, where there is one."""
        return self.answer.status if self.answer else None

    @property
    def refusal(self) -> Alert | None:
        """The alert by which the server broke off."""
        return next((alert for alert in self.alerts if alert.fatal and not alert.sent), None)


@dataclass(frozen=True, slots=True)
class Trial:
    """One certificate asked for as aziot-certd asks: the enrollment, and /cacerts at the same moment."""

    enrolled: Talk
    cacerts: Talk

    @property
    def seconds(self) -> float:
        """How long the slower of both took."""
        return max(self.enrolled.seconds, self.cacerts.seconds)


@dataclass(frozen=True, slots=True)
class Presented:
    """What became of a client certificate: with its chain, None where it has none, and alone."""

    whole: Talk | None
    alone: Talk

    @property
    def talks(self) -> tuple[Talk, ...]:
        """Both, the usual one first."""
        return (self.alone,) if self.whole is None else (self.whole, self.alone)

    @property
    def taken(self) -> bool:
        """Whether TLS takes the certificate as it is usually sent."""
        return self.talks[0].answer is not None
