"""TLS alerts in words (RFC 8446, 6; RFC 5246, 7.2): what a server means by one, and what to do about it.

On TLS 1.3 an alert about the client certificate comes after the handshake, in place of the first answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nestor.doctor.seen import Alert, Ending, Talk

CLOSE_NOTIFY = 0
HANDSHAKE_FAILURE = 40
BAD_CERTIFICATE = 42
UNSUPPORTED_CERTIFICATE = 43
CERTIFICATE_EXPIRED = 45
UNKNOWN_CA = 48
PROTOCOL_VERSION = 70
CERTIFICATE_REQUIRED = 116


@dataclass(frozen=True, slots=True)
class Meaning:
    """An alert that a server sent: its name, what is likely behind it, and the remedy."""

    name: str
    cause: str
    remedy: str


_ITS_LOG = "The log of the server says more."
_BETWEEN = "Look for a proxy or firewall that opens TLS on the way; else update the TLS library of the server."
_ALGORITHMS = "Offer ECDHE with AES-GCM on the server, and give it an EC P-256 or RSA-2048 key."
_ANEW = "Let the device enroll anew with its bootstrap certificate or its password."

MEANINGS: Mapping[int, Meaning] = {
    10: Meaning("unexpected_message", "a message came that has no place there", _BETWEEN),
    20: Meaning("bad_record_mac", "something changed the data on the way", _BETWEEN),
    22: Meaning("record_overflow", "a record came that is too long", _BETWEEN),
    HANDSHAKE_FAILURE: Meaning(
        "handshake_failure", "it and this client have no algorithms in common that fit its key", _ALGORITHMS
    ),
    BAD_CERTIFICATE: Meaning(
        "bad_certificate",
        "it cannot read or verify the client certificate",
        f"Check that the whole certificate is sent, and not one of another CA by the same name. {_ITS_LOG}",
    ),
    UNSUPPORTED_CERTIFICATE: Meaning(
        "unsupported_certificate",
        "the client certificate is not made for TLS clients, or its key is of a kind that the server does not take",
        "Issue it with clientAuth in its extended key usage, for an EC P-256 or RSA key.",
    ),
    44: Meaning("certificate_revoked", "the client certificate is revoked", _ANEW),
    CERTIFICATE_EXPIRED: Meaning(
        "certificate_expired",
        "the client certificate is out of date, or the clock of the server is wrong",
        f"{_ANEW} Compare the clocks.",
    ),
    46: Meaning("certificate_unknown", "it does not take the client certificate and does not say why", _ITS_LOG),
    47: Meaning("illegal_parameter", "a field of the handshake makes no sense to it", _BETWEEN),
    UNKNOWN_CA: Meaning(
        "unknown_ca",
        "it does not know the CA that issued the client certificate",
        "Give the server the CA that issued it: the issuing CA itself, not its root alone, for aziot-certd renews its "
        "EST identity with the leaf alone.",
    ),
    49: Meaning("access_denied", "it knows the client certificate and does not let it in", _ITS_LOG),
    50: Meaning("decode_error", "it cannot read a message of the handshake", _BETWEEN),
    51: Meaning(
        "decrypt_error",
        "a signature of the handshake is wrong: the client's key is not that of its certificate",
        "Check that certificate and key belong together; a key in a TPM or HSM may not sign in the way TLS wants.",
    ),
    PROTOCOL_VERSION: Meaning(
        "protocol_version", "it does not speak this version of TLS", "Let the server speak TLS 1.2 and 1.3."
    ),
    71: Meaning("insufficient_security", "what this client offers is too weak for it", _ALGORITHMS),
    80: Meaning("internal_error", "it failed by itself", f"Restart it, and check its certificate and key. {_ITS_LOG}"),
    86: Meaning("inappropriate_fallback", "it takes this for a forced step down to an older TLS", _BETWEEN),
    90: Meaning("user_canceled", "somebody called the handshake off", _ITS_LOG),
    109: Meaning("missing_extension", "an extension is missing that it needs", _ALGORITHMS),
    110: Meaning("unsupported_extension", "an extension came that nobody asked for", _BETWEEN),
    112: Meaning(
        "unrecognized_name",
        "it has no certificate for the name in the URL",
        "Use a name that the server is set up for, or set it up for this one.",
    ),
    113: Meaning("bad_certificate_status_response", "it does not take the OCSP response", _ITS_LOG),
    115: Meaning("unknown_psk_identity", "it does not know the shared key", "EST wants certificates, not shared keys."),
    CERTIFICATE_REQUIRED: Meaning(
        "certificate_required", "it insists on a client certificate, and none was sent", "Send one, or let it ask only."
    ),
    120: Meaning(
        "no_application_protocol",
        "it wants to settle the protocol by ALPN, which aziot-certd does not offer",
        "Let the server speak HTTP/1.1 to clients without ALPN.",
    ),
}
"""What a server means by its alerts."""

_FOR_WANT_OF_A_CERTIFICATE = frozenset({HANDSHAKE_FAILURE, BAD_CERTIFICATE, 46, 49, CERTIFICATE_REQUIRED})


def name_of(alert: Alert) -> str:
    """The name of an alert, and its number as logs have it."""
    known = MEANINGS.get(alert.number)
    return f"{known.name} ({alert.number})" if known else f"number {alert.number}"


def meaning_of(alert: Alert) -> Meaning:
    """What a server means by an alert, be it one that no standard knows."""
    return MEANINGS.get(alert.number) or Meaning(str(alert.number), "no standard says what that means", _ITS_LOG)


def demands_certificate(talk: Talk) -> bool:
    """Whether a server broke off because no certificate was sent; TLS 1.2 has no alert of its own for that."""
    if not talk.wanted_certificate:
        return False
    if talk.refusal is None:
        return talk.ending is Ending.CLOSED
    return talk.refusal.number in _FOR_WANT_OF_A_CERTIFICATE
