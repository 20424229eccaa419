"""Judgements on the certificate that a server shows: its dates, its names, what it is for, how strong it is.

Where aziot-certd breaks off, the alert is named that it sends: the log of the server has it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.doctor.chains import extension, is_root
from nestor.doctor.names import Match, address_of, match, names_of
from nestor.doctor.words import Topic, fine, lasting, listed, named, problem, warning
from nestor.finding import Finding

SOON = timedelta(days=7)
"""`iotedge check` warns of certificates that have less left."""

RSA_BITS, EC_BITS = 2048, 224
"""What OpenSSL asks for at its security level 2, which Debian and Ubuntu set."""

_WEAK_HASHES = frozenset({"md5", "sha1"})
_ALERT = "aziot-certd breaks off with the alert"
_RENEW = "Renew it, and let the server read it again; Nestor does both by itself."


def judge_certificate(chain: Sequence[x509.Certificate], host: str, now: datetime) -> list[Finding]:
    """Everything that can be said of it without knowing whom the device trusts."""
    leaf = chain[0]
    return [
        *_judge_dates(leaf, now),
        *judge_dates_above(chain[1:], now),
        *_judge_names(leaf, host),
        *_judge_use(leaf),
        *_judge_strength(chain),
    ]


def judge_dates_above(chain: Sequence[x509.Certificate], now: datetime) -> list[Finding]:
    """Whether the CA certificates of a chain are in date."""
    return [
        problem(
            Topic.CERTIFICATE,
            f"The CA certificate {named(one)} above it is valid from {day(one.not_valid_before_utc)} to "
            f"{day(one.not_valid_after_utc)} only.",
            "Renew that CA certificate; let the server show the new one, and devices trust it.",
        )
        for one in chain
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc
    ]


def weakness(certificate: x509.Certificate) -> str:
    """What makes a certificate too weak for a device; empty where nothing does."""
    try:
        key = certificate.public_key()
        digest = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return "its key or signature is of an unknown kind"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        return f"its RSA key has {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < EC_BITS:
        return f"its key is on the curve {key.curve.name}"
    if digest is not None and digest.name in _WEAK_HASHES and not is_root(certificate):
        return f"it is signed with {digest.name.upper()}"
    return ""


def day(moment: datetime) -> str:
    """A moment, to the minute."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _judge_dates(leaf: x509.Certificate, now: datetime) -> list[Finding]:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    who = f"The server's certificate {named(leaf)}"
    if end < now:
        sentence = f"{who} expired on {day(end)}; {_ALERT} certificate_expired (45)."
        return [problem(Topic.CERTIFICATE, sentence, _RENEW)]
    if start > now:
        sentence = f"{who} is not valid before {day(start)}; {_ALERT} bad_certificate (42)."
        return [problem(Topic.CERTIFICATE, sentence, "Compare the clocks of the server and of this machine.")]
    if end - now < SOON:
        return [warning(Topic.CERTIFICATE, f"{who} expires in {lasting(end - now)}, on {day(end)}.", _RENEW)]
    return [fine(Topic.CERTIFICATE, f"{who} is valid until {day(end)}, for {lasting(end - now)}.")]


def _judge_names(leaf: x509.Certificate, host: str) -> list[Finding]:
    names = names_of(leaf)
    match match(leaf, host):
        case Match.ALTERNATIVE_NAME:
            return [fine(Topic.CERTIFICATE, f"It is good for {host}.")]
        case Match.COMMON_NAME:
            return [
                warning(
                    Topic.CERTIFICATE,
                    f"It names {host} as common name only: aziot-certd still takes that, hardly anybody else does.",
                    f"Issue it with {host} as subject alternative name.",
                )
            ]
        case Match.NONE:
            carried = f"it is good for {listed(names)}" if names else "it carries no alternative name"
            sentence = f"It is not good for {host}: {carried}; {_ALERT} bad_certificate (42)."
            return [problem(Topic.CERTIFICATE, sentence, _other_name(host, names))]


def _other_name(host: str, names: Sequence[str]) -> str:
    kind = "IP address" if address_of(host) is not None else "DNS name"
    add = f"Issue it with {host} as {kind} among its subject alternative names (Nestor: --hostname {host})"
    return f"{add}, or write one of its own names into the URL." if names else f"{add}."


def _judge_use(leaf: x509.Certificate) -> list[Finding]:
    purposes, usage = extension(leaf, x509.ExtendedKeyUsage), extension(leaf, x509.KeyUsage)
    taken = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    missing = []
    if purposes is not None and not taken & set(purposes):
        missing.append("serverAuth in its extended key usage")
    if usage is not None and not usage.digital_signature:
        missing.append("digitalSignature in its key usage")
    return [
        problem(
            Topic.CERTIFICATE,
            f"It lacks {what}, so it is not a server's; {_ALERT} unsupported_certificate (43).",
            "Issue it for a TLS server.",
        )
        for what in missing
    ]


def _judge_strength(chain: Sequence[x509.Certificate]) -> list[Finding]:
    return [
        problem(
            Topic.CERTIFICATE,
            f"{named(one)} is too weak for the OpenSSL of current systems: {why}.",
            "Issue it anew: EC P-256 or RSA with 2048 bits, signed with SHA-256.",
        )
        for one in chain
        if (why := weakness(one))
    ]
