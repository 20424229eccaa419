"""Judgements on who is let in: strangers, wrong passwords, and the credentials at hand, as aziot-certd would send them.

Nothing is issued here: what is posted is no request for a certificate, and a server that asks first who is there tells
by its answer whether it would have gone on.
"""

import http
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nestor.doctor.alerts import demands_certificate
from nestor.doctor.certificate import SOON, day, weakness
from nestor.doctor.chains import extension, issued
from nestor.doctor.endings import explain
from nestor.doctor.reading import said
from nestor.doctor.seen import Answer, Credential, Identity, Presented, Talk
from nestor.doctor.words import Topic, fine, lasting, named, problem, quoted, warning
from nestor.finding import Finding

NO_REQUEST = b"no request for a certificate, only a question who is let in"
"""What is posted in a request's place."""

_REFUSED = frozenset({http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN})
_NOWHERE = frozenset({http.HTTPStatus.NOT_FOUND, http.HTTPStatus.METHOD_NOT_ALLOWED, http.HTTPStatus.NOT_IMPLEMENTED})
_ENROLL = "Try it: --enroll --name DEVICE-ID. That leaves certificates behind."


def judge_stranger(talk: Talk) -> list[Finding]:
    """What becomes of somebody without credentials."""
    if talk.answer is None:
        if demands_certificate(talk):
            return []  # told with TLS
        what, remedy = explain(talk)
        return [problem(Topic.AUTHENTICATION, f"On /simpleenroll the server {what}.", remedy)]
    return _judge_status(talk.answer)


def judge_wrong_password(stranger: Talk, wrong: Talk) -> list[Finding]:
    """What becomes of a user that nobody knows."""
    before, after = stranger.status, wrong.status
    if after in _REFUSED or after == http.HTTPStatus.TOO_MANY_REQUESTS:
        return [fine(Topic.AUTHENTICATION, f"A wrong password is refused ({after}).")]
    if before in _REFUSED and after is not None:
        return [
            problem(
                Topic.AUTHENTICATION,
                f"The server lets in a user that does not exist: it answers {before} without and {after} with one.",
                "Let it verify passwords: everybody can have every certificate.",
            )
        ]
    return []


def judge_known(stranger: Talk, known: Talk, credential: Credential) -> list[Finding]:
    """Whether the credentials at hand are taken, sent as aziot-certd sends them."""
    who = _who(credential)
    if known.answer is None:
        what, remedy = explain(known)
        return [problem(Topic.AUTHENTICATION, f"To {who} the server {what}.", remedy)]
    before, after = stranger.status, known.answer.status
    if after in _REFUSED:
        words = said(known.answer)
        sentence = f"The server does not let in {who}: it answers {after}{f', {words}' if words else ''}."
        return [problem(Topic.AUTHENTICATION, sentence, _remedy(credential))]
    if before == after:
        sentence = f"Whether {who} is let in cannot be told: the server answers {after} to everybody who asks nothing."
        return [warning(Topic.AUTHENTICATION, sentence, _ENROLL)]
    return [fine(Topic.AUTHENTICATION, f"The server lets in {who}.")]


def nothing_given() -> Finding:
    """Nobody said who the device is."""
    return fine(
        Topic.AUTHENTICATION,
        "No credential was given, so whether a device is let in was not looked at.",
        "Give --user NAME, or --cert FILE --key FILE.",
    )


def judge_identity(identity: Identity, now: datetime) -> list[Finding]:
    """Whether a client certificate can be one, before anybody is shown it."""
    certificate = identity.certificate
    who, end = f"The certificate {named(certificate)} of --cert", certificate.not_valid_after_utc
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    taken = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    findings = []
    if end < now:
        sentence = f"{who} expired on {day(end)}; servers end TLS with certificate_expired (45)."
        findings.append(problem(Topic.AUTHENTICATION, sentence, "Enroll anew by bootstrap certificate or password."))
    elif certificate.not_valid_before_utc > now:
        sentence = f"{who} is not valid before {day(certificate.not_valid_before_utc)}."
        findings.append(problem(Topic.AUTHENTICATION, sentence, "Compare the clocks of its issuer and this machine."))
    elif end - now < SOON:
        sentence = f"{who} expires in {lasting(end - now)}."
        remedy = "aziot-certd renews its EST identity, but never a certificate that identity_cert names."
        findings.append(warning(Topic.AUTHENTICATION, sentence, remedy))
    weak = weakness(certificate)
    if weak:
        sentence = f"{who} is too weak for the OpenSSL of current systems: {weak}."
        findings.append(problem(Topic.AUTHENTICATION, sentence, "Issue it anew: EC P-256 or RSA with 2048 bits."))
    if purposes is not None and not taken & set(purposes):
        sentence = f"{who} lacks clientAuth; servers end TLS with unsupported_certificate (43)."
        remedy = "Issue it with clientAuth in its extended key usage, or without that extension."
        findings.append(problem(Topic.AUTHENTICATION, sentence, remedy))
    return findings


def judge_presented(presented: Presented, cacerts: Sequence[x509.Certificate], identity: Identity) -> list[Finding]:
    """Whether TLS takes the client certificate: with its chain, and alone, as aziot-certd renews its EST identity."""
    first, alone = presented.talks[0], presented.alone
    who = f"the certificate {named(identity.certificate)}"
    if first.answer is None:
        what, remedy = explain(first)
        return [problem(Topic.AUTHENTICATION, f"Shown {who}, the server {what}.", remedy)]
    if alone.answer is not None:
        how = ", with its chain and alone" if presented.whole else ""
        return [fine(Topic.AUTHENTICATION, f"TLS takes {who}{how}.")]
    what, remedy = explain(alone)
    if any(issued(identity.certificate, ca) for ca in cacerts):
        sentence = f"Shown {who} without its chain, as aziot-certd renews its EST identity, the server {what}."
        return [problem(Topic.AUTHENTICATION, sentence, remedy)]
    sentence = f"Shown {who} without its chain, the server {what}. A bootstrap certificate is sent with its chain."
    return [warning(Topic.AUTHENTICATION, sentence, "If it is an EST identity: " + remedy)]


def _judge_status(answer: Answer) -> list[Finding]:
    match answer.status:
        case http.HTTPStatus.UNAUTHORIZED:
            return _judge_challenge(answer.header("www-authenticate"))
        case http.HTTPStatus.FORBIDDEN:
            return [fine(Topic.AUTHENTICATION, "A stranger is refused (403).")]
        case status if status in _NOWHERE:
            sentence = f"There is no /simpleenroll: the server answers {status}."
            return [problem(Topic.AUTHENTICATION, sentence, "Check path and label of the URL.")]
        case status if status in range(200, 300):
            sentence = f"The server answers {status} to a stranger who asks for no certificate."
            return [problem(Topic.AUTHENTICATION, sentence, "Check the URL: is it an EST server?")]
        case _:
            return []  # it judged the request before its sender


def _judge_challenge(challenge: str | None) -> list[Finding]:
    if challenge is None:
        sentence = "A stranger is refused (401), without the challenge that belongs there."
        return [warning(Topic.AUTHENTICATION, sentence, "Send WWW-Authenticate: other clients wait for it (RFC 9110).")]
    scheme = challenge.split(" ")[0]
    if scheme.lower() != "basic":
        sentence = f"A stranger is asked for {quoted(scheme)} authentication; aziot-certd knows Basic only."
        return [warning(Topic.AUTHENTICATION, sentence, "Offer Basic on this path, or client certificates.")]
    return [fine(Topic.AUTHENTICATION, "A stranger is asked for a password (401, Basic).")]


def _who(credential: Credential) -> str:
    login, identity = credential.login, credential.identity
    parts = [f"the certificate {named(identity.certificate)}"] if identity else []
    parts += [f"the user {quoted(login.user)}"] if login else []
    return " with ".join(parts)


def _remedy(credential: Credential) -> str:
    if credential.login is None:
        return "Let the server know the issuer of this certificate, and this device; its log says what it missed."
    if credential.identity is None:
        return "Check user and password, and that the server knows this user."
    return "Check both: aziot-certd sends certificate and password together where config.toml has both."
