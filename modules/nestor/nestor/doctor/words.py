"""How findings are worded: what each is about, and the few phrases that many of them need."""

from datetime import timedelta
from enum import StrEnum

from cryptography import x509

from nestor.finding import Finding, Gravity

_LONGEST_QUOTE = 300


class Topic(StrEnum):
    """What a finding is about, in the order in which a person reads them."""

    URL = "URL"
    NAME = "name"
    TCP = "TCP"
    TLS = "TLS"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    CACERTS = "cacerts"
    CSRATTRS = "csrattrs"
    SERVER = "server"
    AUTHENTICATION = "authentication"
    LAYERS = "layers"
    ENROLLMENT = "enrollment"
    VERDICT = "verdict"


def fine(about: Topic, sentence: str, remark: str = "") -> Finding:
    """All is as it should be."""
    return Finding(Gravity.FINE, about.value, sentence, remark)


def warning(about: Topic, sentence: str, remedy: str) -> Finding:
    """It works, and somebody will stumble over it."""
    return Finding(Gravity.WARNING, about.value, sentence, remedy)


def problem(about: Topic, sentence: str, remedy: str) -> Finding:
    """aziot-certd, or what comes behind it, fails on this."""
    return Finding(Gravity.PROBLEM, about.value, sentence, remedy)


def quoted(text: str) -> str:
    """What somebody else wrote, on one line, with everything escaped that could steer a terminal."""
    line = " ".join(text.split())
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    return safe if len(safe) <= _LONGEST_QUOTE else f"{safe[:_LONGEST_QUOTE]} ..."


def named(certificate: x509.Certificate) -> str:
    """A certificate, by its subject."""
    return quoted(certificate.subject.rfc4514_string()) or f"(no subject, serial {certificate.serial_number:x})"


def lasting(length: timedelta) -> str:
    """A length of time in its natural unit."""
    seconds = abs(length.total_seconds())
    for unit, name in ((365 * 86_400, "years"), (86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{int(seconds / unit)} {name}"
    return f"{round(seconds, 1):g} seconds"


def counted(number: int, thing: str) -> str:
    """So many things."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def listed(parts: list[str]) -> str:
    """Several things in a row."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
