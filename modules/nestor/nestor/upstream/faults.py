"""From what sockets, TLS and HTTP raise to sentences: what went wrong with which server, and what to do."""

import socket
import ssl
from collections.abc import Iterator

import aiohttp

from nestor.errors import Unavailable


class BadAnswer(Unavailable):
    """The server answered, but not as an EST server does."""


class Untrusted(Unavailable):
    """One side does not believe the other in TLS: nothing that was asked was done."""


class NoAnchor(Untrusted):
    """The certificate of the server does not come from a CA that is trusted here."""


class WrongHost(Untrusted):
    """The certificate of the server is for other names or addresses."""


class Closed(Unavailable):
    """The server closed the connection; whether it did what it was asked is unknown."""


_PERHAPS_THE_CERTIFICATE = "It may not accept the client certificate, if one was sent; its log says."

_TOLD: tuple[tuple[tuple[type[BaseException], ...], type[Unavailable], str, str], ...] = (
    ((socket.gaierror,), Unavailable, "is a name that cannot be resolved", "Check the URL, and DNS."),
    ((ConnectionRefusedError,), Unavailable, "has nobody listening", "Check host and port, and that the server runs."),
    (
        (aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError),
        Closed,
        "closed the connection without an answer",
        _PERHAPS_THE_CERTIFICATE,
    ),
    ((TimeoutError,), Unavailable, "did not answer in time", "Check host and port, and firewalls between."),
    (
        (aiohttp.ClientPayloadError, aiohttp.ClientResponseError),
        BadAnswer,
        "does not answer in HTTP that can be understood",
        "Is it an EST server?",
    ),
)
"""Exceptions, and what the server did by them."""


def fault_of(error: Exception, server: str) -> Unavailable:
    """The sentence of an exception, by the most telling one of those that led to it."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _distrusted(cause, server)
        if isinstance(cause, ssl.SSLError):
            return _refused_by_tls(cause, server)
        for kinds, fault, what, hint in _TOLD:
            if isinstance(cause, kinds):
                return fault(f"{server} {what}.", hint)
    reason = next((cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror), None)
    return Unavailable(f"{server} cannot be reached: {reason or type(error).__name__}.", "Check host and port.")


_DISTRUSTED: dict[int, tuple[str, str]] = {
    9: ("is not valid yet", "Check the clock of this machine."),
    10: ("has expired", "Its operator renews it; check the clock of this machine too."),
    26: ("is not a server's (RFC 5280, 4.2.1.12)", "Its operator gives it serverAuth."),
    62: ("is for other names", "Use a name that the certificate carries, or have this one added to it."),
    64: ("is for other addresses", "Use a name that the certificate carries, or have this address added to it."),
}
_NO_ANCHOR = (
    "does not come from a CA that is trusted here",
    "Give the CA certificate of the server as trust anchor: nestor est has --cacert and --fingerprint for it.",
)
_WRONG_HOST_CODES = frozenset({62, 64})
_NO_ANCHOR_CODES = frozenset({2, 18, 19, 20, 21, 27})


def _distrusted(error: ssl.SSLCertVerificationError, server: str) -> Unavailable:
    told = _NO_ANCHOR if error.verify_code in _NO_ANCHOR_CODES else _DISTRUSTED.get(error.verify_code)
    what, hint = told or (f"is refused: {error.verify_message}", "Its operator mends it.")
    kind = NoAnchor if told is _NO_ANCHOR else WrongHost if error.verify_code in _WRONG_HOST_CODES else Untrusted
    return kind(f"The certificate of {server} {what}.", hint)


_ALERTS: dict[str, tuple[str, str]] = {
    "WRONG_VERSION_NUMBER": ("does not speak TLS there", "Check the port."),
    "HTTP_REQUEST": ("does not speak TLS there", "Check the port."),
    "UNSUPPORTED_PROTOCOL": ("and this client have no TLS version in common", "TLS 1.2 or 1.3 is needed."),
    "TLSV1_ALERT_PROTOCOL_VERSION": (
        "does not speak the TLS version that was asked for",
        "A linked request needs TLS 1.2, anything else TLS 1.2 or 1.3.",
    ),
    "UNKNOWN_CA": ("does not know the CA of the client certificate", "Present one that this server knows."),
    "CERTIFICATE_REQUIRED": ("wants a client certificate", "Present one."),
    "CERTIFICATE_EXPIRED": ("refuses the client certificate: it has expired", "Enroll anew with another credential."),
    "CERTIFICATE_REVOKED": ("refuses the client certificate: it is revoked", "Enroll anew with another credential."),
    "UNSUPPORTED_CERTIFICATE": ("refuses the client certificate: not made for this use", "It needs clientAuth."),
    "BAD_CERTIFICATE": ("refuses the client certificate", "The log of the server says why."),
    "CERTIFICATE_UNKNOWN": ("refuses the client certificate", "The log of the server says why."),
    "ACCESS_DENIED": ("refuses the client certificate", "The log of the server says why."),
    "HANDSHAKE_FAILURE": (
        "refuses the TLS handshake",
        "It may want a client certificate, or other algorithms than this client has.",
    ),
}


def _refused_by_tls(error: ssl.SSLError, server: str) -> Unavailable:
    reason = getattr(error, "reason", None) or ""
    told = next((told for part, told in _ALERTS.items() if reason.endswith(part)), None)
    if told is None and isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Closed(f"{server} closed the connection in the middle of TLS.", _PERHAPS_THE_CERTIFICATE)
    what, hint = told or (f"breaks off TLS: {reason.replace('_', ' ').lower() or 'no reason given'}", "")
    return Untrusted(f"{server} {what}.", hint or "The log of the server says why.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it wraps, the innermost first: that one knows best."""
    seen = [error]
    while (cause := seen[-1].__cause__ or getattr(seen[-1], "os_error", None)) is not None and cause not in seen:
        seen.append(cause)
    yield from reversed(seen)
