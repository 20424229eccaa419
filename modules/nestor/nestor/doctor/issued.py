"""Judgements on a certificate that was issued: is it what was asked for, can a device, DPS and IoT Edge live on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.doctor.cacerts import path_up
from nestor.doctor.certificate import day
from nestor.doctor.chains import extension, find_path, is_ca, is_root, room_below
from nestor.doctor.requests import Kind, common_name
from nestor.doctor.seen import TLSKey
from nestor.doctor.words import Topic, fine, lasting, named, problem, quoted, warning
from nestor.finding import Finding
from nestor.naming import common_name_of

RENEWED_AT = 0.8
"""The share of its lifetime at which a device renews a certificate, unless its config.toml says otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a certificate was asked for; `what` names it in sentences."""

    kind: Kind
    device: str
    key: TLSKey
    what: str

    @property
    def common_name(self) -> str:
        """The name that was asked for."""
        return common_name(self.kind, self.device)


def has_key(certificate: x509.Certificate, asked: Asked) -> bool:
    """Whether a certificate is for the key of the request."""
    try:
        return certificate.public_key() == asked.key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False


def judge_issued(
    asked: Asked, certificate: x509.Certificate, cacerts: Sequence[x509.Certificate], now: datetime
) -> list[Finding]:
    """Everything about one certificate, and about the chain that it gets on a device."""
    found = [
        *_judge_name(asked, certificate),
        *(_judge_authority(certificate) if asked.kind is Kind.EDGE_CA else _judge_leaf(asked, certificate)),
        *_judge_chain(asked, certificate, cacerts),
        *_judge_dates(certificate, now),
    ]
    return [fine(Topic.ENROLLMENT, _told(asked, certificate)), *found]


def _told(asked: Asked, certificate: x509.Certificate) -> str:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    due = start + RENEWED_AT * (end - start)
    return (
        f"The server issued {asked.what}: {named(certificate)}, serial {certificate.serial_number:x}, valid for "
        f"{lasting(end - start)}; at 80 % of that, on {day(due)}, a device renews it."
    )


def _judge_name(asked: Asked, certificate: x509.Certificate) -> list[Finding]:
    name = common_name_of(certificate.subject)
    if name.casefold() == asked.common_name.casefold():
        return []
    why = "DPS takes it for another registration id" if asked.kind is Kind.DEVICE_IDENTITY else "it is another's"
    return [
        problem(
            Topic.ENROLLMENT,
            f'It names "{quoted(name)}" where "{asked.common_name}" was asked for: {why}.',
            "Let the server keep the subject of the request, whatever certificate the client shows.",
        )
    ]


def _judge_leaf(asked: Asked, certificate: x509.Certificate) -> list[Finding]:
    """DPS wants CA:FALSE and clientAuth; a request for a device identity asks for neither."""
    dps = asked.kind is Kind.DEVICE_IDENTITY
    findings = []
    constraints = extension(certificate, x509.BasicConstraints)
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    usage = extension(certificate, x509.KeyUsage)
    if constraints is not None and constraints.ca:
        sentence = "It is a CA certificate: whoever has the device can make certificates of its own."
        findings.append(problem(Topic.ENROLLMENT, sentence, "Issue it with basic constraints CA:FALSE."))
    if constraints is None and dps:
        sentence = "It has no basic constraints; DPS wants CA:FALSE."
        findings.append(warning(Topic.ENROLLMENT, sentence, "Let the server add them: nobody asks for them."))
    client = purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH in purposes
    if not client and (dps or purposes is not None):
        sentence = f"It lacks clientAuth in its extended key usage: {'DPS and ' if dps else ''}TLS servers refuse it."
        findings.append(problem(Topic.ENROLLMENT, sentence, "Let the server add clientAuth, asked for or not."))
    if usage is not None and not usage.digital_signature:
        sentence = "It lacks digitalSignature in its key usage, so it cannot authenticate in TLS."
        findings.append(problem(Topic.ENROLLMENT, sentence, "Let the server add digitalSignature."))
    return findings


def _judge_authority(certificate: x509.Certificate) -> list[Finding]:
    """What aziot-edged signs the certificates of its modules with."""
    if is_ca(certificate):
        return []
    sentence = "It is not a CA certificate that may sign (CA:TRUE, keyCertSign): no module of the device would start."
    return [problem(Topic.ENROLLMENT, sentence, "Issue Edge CAs as they are asked for, or on a path of their own.")]


def _judge_chain(asked: Asked, certificate: x509.Certificate, cacerts: Sequence[x509.Certificate]) -> list[Finding]:
    """The way up over what /cacerts showed at that moment; where that was nothing, the other call's judge tells it."""
    path = path_up(certificate, cacerts)
    if not cacerts:
        return []
    if len(path) == 1:
        sentence = f"Its issuer, {quoted(certificate.issuer.rfc4514_string())}, is not in /cacerts: it has no chain."
        return [problem(Topic.ENROLLMENT, sentence, "Let /cacerts show the CA that issues, and those above it.")]
    whole = find_path(certificate, cacerts, path[-1:], partial=not is_root(path[-1]))
    if not whole.certificates:
        sentence = f"Its chain over /cacerts does not hold: {quoted(whole.words)}."
        return [problem(Topic.ENROLLMENT, sentence, "Let /cacerts show the CAs that the certificate was issued under.")]
    if asked.kind is Kind.EDGE_CA and room_below(path[1:]) < 1:
        sentence = f"The path lengths above leave no room for it below {named(path[1])}: its modules are refused."
        remedy = "Issue that CA anew with a path length of at least 1, and one more for every CA above it."
        return [problem(Topic.ENROLLMENT, sentence, remedy)]
    return []


def _judge_dates(certificate: x509.Certificate, now: datetime) -> list[Finding]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if start > now:
        sentence = f"It is not valid before {day(start)}, which is {lasting(start - now)} from now."
        return [problem(Topic.ENROLLMENT, sentence, "Compare the clocks; let the server back-date by minutes.")]
    if end <= now:
        sentence = f"It expired on {day(end)}, before it was issued."
        return [problem(Topic.ENROLLMENT, sentence, "Compare the clocks of the server and of this machine.")]
    if now >= start + RENEWED_AT * (end - start):
        sentence = "80 % of its lifetime are over already, so that a device renews it at once, again and again."
        return [problem(Topic.ENROLLMENT, sentence, "Let the server back-date by minutes, not by days.")]
    return []
