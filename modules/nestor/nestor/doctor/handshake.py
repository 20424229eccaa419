"""Judgements on TLS itself: the versions that a server speaks, and whether it asks for a client certificate."""

from collections.abc import Mapping

from nestor.doctor.alerts import demands_certificate, name_of
from nestor.doctor.endings import Told, explain
from nestor.doctor.seen import Ending, Talk, Version
from nestor.doctor.words import Topic, fine, problem, warning
from nestor.finding import Finding

_ASK_ONLY = (
    "Let the server ask for a certificate without insisting (nginx: ssl_verify_client optional), or give every device "
    "a bootstrap certificate and try it: --cert FILE --key FILE."
)


def judge_versions(talks: Mapping[Version, Talk]) -> list[Finding]:
    """Which versions are spoken: each was tried alone, without a certificate."""
    spoken = [version for version in Version if talks[version].session or demands_certificate(talks[version])]
    match spoken:
        case [Version.TLS_1_2, Version.TLS_1_3]:
            return [fine(Topic.TLS, "The server speaks TLS 1.2 and TLS 1.3.")]
        case [Version.TLS_1_3]:
            return [fine(Topic.TLS, "The server speaks TLS 1.3 only, which aziot-certd speaks too.")]
        case [Version.TLS_1_2]:
            return [
                warning(
                    Topic.TLS,
                    "The server speaks TLS 1.2, but not TLS 1.3.",
                    "Let it speak TLS 1.3: with 1.2, some versions of OpenSSL on devices fail over their key engine "
                    '("unable to find ecdh parameters").',
                )
            ]
        case _:
            return _judge_silence(talks)


def judge_client_request(talks: Mapping[Version, Talk], *, has_identity: bool) -> list[Finding]:
    """Whether a client certificate is asked for, and whether the server goes on without one."""
    refused = next((talk for talk in talks.values() if demands_certificate(talk)), None)
    if refused is not None:
        how = f" with the alert {name_of(refused.refusal)}" if refused.refusal else ""
        sentence = f"The server insists on a client certificate: without one it breaks off{how}."
        if has_identity:
            return [
                warning(
                    Topic.TLS,
                    f"{sentence} A device whose certificate has expired cannot come back by password.",
                    "Let the server ask for a certificate without insisting.",
                )
            ]
        return [problem(Topic.TLS, f"{sentence} A device that has a password only cannot come in.", _ASK_ONLY)]
    if any(talk.wanted_certificate for talk in talks.values()):
        return [fine(Topic.TLS, "It asks for a client certificate and goes on without one, as devices need it.")]
    if not any(talk.session for talk in talks.values()):
        return []
    if has_identity:
        return [
            problem(
                Topic.TLS,
                "The server asks for no client certificate, so that of --cert is never shown to it.",
                "Let it ask for one in the handshake; aziot-certd cannot be asked later.",
            )
        ]
    return [fine(Topic.TLS, "It asks for no client certificate: passwords alone authenticate here.")]


def judge_plain_http(plain: Talk) -> list[Finding]:
    """What a port that does not speak TLS says to plain HTTP."""
    if plain.ending is Ending.ANSWERED:
        return [
            problem(
                Topic.TLS,
                "The server speaks plain HTTP on that port, not TLS.",
                "Serve EST over TLS there, or use the port where the server speaks HTTPS.",
            )
        ]
    told = Told("speaks neither TLS nor HTTP on that port", "Check the port: is it an EST server?")
    return [problem(Topic.TLS, f"The server {told.what}.", told.remedy)]


def speaks_tls(url: str) -> Finding:
    """A port that speaks TLS although the URL does not say so."""
    return problem(
        Topic.TLS, "The port speaks TLS, and the URL says plain HTTP.", f"Write {url.replace('http:', 'https:', 1)}."
    )


def _judge_silence(talks: Mapping[Version, Talk]) -> list[Finding]:
    """No handshake came to its end: each reason once, the newest version first."""
    reasons = dict.fromkeys(explain(talks[version]) for version in reversed(Version))
    return [problem(Topic.TLS, f"The server {told.what}.", told.remedy) for told in reasons]
