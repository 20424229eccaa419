"""Judgements on /cacerts: how it is answered, and what its certificates become on a device.

aziot-certd writes what it was issued, then these, in the order on the wire, into one file; that file is the chain which
a device shows to DPS, and below which an Edge CA stands.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from cryptography import x509

from nestor.doctor.certificate import day, weakness
from nestor.doctor.chains import is_ca, is_root, issued, room_below
from nestor.doctor.endings import explain
from nestor.doctor.pace import judge_pace
from nestor.doctor.reading import Misread, read
from nestor.doctor.seen import Talk
from nestor.doctor.words import Topic, counted, fine, lasting, listed, named, problem, warning
from nestor.finding import Finding

_CA_SOON = timedelta(days=30)


class Detour(NamedTuple):
    """Another path that was asked because the right one is not served, and what it means if that one is."""

    remedy: str
    talk: Talk


def judge_cacerts(talk: Talk, detours: Sequence[Detour], now: datetime, *, edge_ca: bool) -> list[Finding]:
    """The answer as aziot-certd takes it, then its content."""
    if talk.answer is None:
        what, remedy = explain(talk)
        return [problem(Topic.CACERTS, f"On /cacerts the server {what}.", remedy)]
    found = read(talk.answer)
    if isinstance(found, Misread):
        remedy = next((one.remedy for one in detours if ca_certificates(one.talk)), found.remedy)
        return [problem(Topic.CACERTS, f"On /cacerts the server {found.what}.", remedy)]
    return [
        *_judge_order(found),
        *_judge_members(found, now),
        *_judge_tree(found),
        *_judge_room(found, edge_ca=edge_ca),
        *judge_pace(Topic.CACERTS, "/cacerts", talk.seconds),
    ]


def closed_to_strangers(status: int) -> Finding:
    """A server may ask who wants to know; aziot-certd says so on both calls."""
    return warning(
        Topic.CACERTS,
        f"/cacerts is not for strangers ({status}), so it was not looked at.",
        "Give --user NAME, or --cert FILE --key FILE, as aziot-certd sends them there too.",
    )


def ca_certificates(talk: Talk | None) -> tuple[x509.Certificate, ...]:
    """The certificates of an answer that aziot-certd takes; none of any other."""
    found = read(talk.answer) if talk is not None and talk.answer is not None else ()
    return () if isinstance(found, Misread) else found


def judge_csr_attributes(talk: Talk) -> list[Finding]:
    """An operation that a server may leave out, and that aziot-certd leaves out."""
    if talk.answer is None or talk.answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        return [fine(Topic.CSRATTRS, "It does not serve /csrattrs, which it need not: aziot-certd never asks.")]
    return [fine(Topic.CSRATTRS, "It serves /csrattrs; aziot-certd never asks.")]


def path_up(certificate: x509.Certificate, pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """A certificate and its issuers in turn, as far as the pool reaches."""
    path = [certificate]
    while not is_root(path[-1]):
        above = next((one for one in pool if one not in path and issued(path[-1], one)), None)
        if above is None:
            break
        path.append(above)
    return path


def _judge_order(found: Sequence[x509.Certificate]) -> list[Finding]:
    shown = f"/cacerts shows {counted(len(found), 'certificate')}: {listed([named(one) for one in found])}."
    above = any(issued(later, earlier) for at, earlier in enumerate(found) for later in found[at + 1 :])
    remark = "On a device they follow the issued certificate in this order, a root before its CA; OpenSSL takes that."
    return [fine(Topic.CACERTS, shown, remark if above else "")]


def _judge_members(found: Sequence[x509.Certificate], now: datetime) -> list[Finding]:
    return [finding for one in found for finding in _judge_member(one, now)]


def _judge_member(one: x509.Certificate, now: datetime) -> list[Finding]:
    who, end = f"{named(one)} in /cacerts", one.not_valid_after_utc
    if not is_ca(one):
        sentence = f"{who} is not a CA certificate, and would stand in the chain of every device."
        return [warning(Topic.CACERTS, sentence, "Take it out of /cacerts (RFC 7030, 4.1.3).")]
    if end < now:
        sentence = f"{who} expired on {day(end)}: no chain over it is taken any more."
        return [problem(Topic.CACERTS, sentence, "Renew that CA, and add it to DPS and to trusted_certs beforehand.")]
    if one.not_valid_before_utc > now:
        sentence = f"{who} is not valid before {day(one.not_valid_before_utc)}."
        return [warning(Topic.CACERTS, sentence, "Compare the clocks of the server and of this machine.")]
    weak = weakness(one)
    if weak:
        sentence = f"{who} is too weak for the OpenSSL of current systems: {weak}."
        return [problem(Topic.CACERTS, sentence, "Make a new CA: EC P-256 or RSA with 2048 bits, SHA-256.")]
    if end - now < _CA_SOON:
        sentence = f"{who} expires in {lasting(end - now)}."
        return [warning(Topic.CACERTS, sentence, "Renew that CA, and add it to DPS and to trusted_certs beforehand.")]
    return []


def _judge_tree(found: Sequence[x509.Certificate]) -> list[Finding]:
    """One chain up to one root is what a device wants."""
    tops = {path_up(one, found)[-1] for one in found}
    findings = []
    if len(tops) > 1:
        findings.append(
            warning(
                Topic.CACERTS,
                f"/cacerts shows chains below {listed(sorted(map(named, tops)))}; all of them stand in every device's "
                "chain file.",
                "Show the CA that issues now and those above it. While a CA is replaced, this is as it must be.",
            )
        )
    if not any(map(is_root, tops)):
        findings.append(
            warning(
                Topic.CACERTS,
                "/cacerts shows no root, so the chain file of a device ends below it.",
                "Show the root too, or verify in DPS a CA that is shown: the chain must reach one that DPS knows.",
            )
        )
    return findings


def _judge_room(found: Sequence[x509.Certificate], *, edge_ca: bool) -> list[Finding]:
    """Whether an Edge CA fits below the CAs that issue (RFC 5280, 4.2.1.9)."""
    lowest = [one for one in found if not any(other != one and issued(other, one) for other in found)]
    full = [one for one in lowest if is_ca(one) and room_below(path_up(one, found)) < 1]
    tell = problem if edge_ca else warning
    return [
        tell(
            Topic.CACERTS,
            f"The path lengths leave no room for an Edge CA below {named(one)}: what its modules show is refused.",
            "Issue the CA anew with a path length of at least 1, and one more for every CA above it.",
        )
        for one in full
    ]
