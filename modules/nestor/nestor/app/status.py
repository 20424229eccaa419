"""What a Nestor is at one moment, for reported properties and the direct method `getStatus`: read, never decided here.

No section holds a secret, nor the name of a device.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1

from nestor import __version__
from nestor.app.answer import Answer, Moment
from nestor.app.server import Server
from nestor.app.welcome import url_of, written
from nestor.ca.catalog import Catalog, build_catalog
from nestor.ca.issuer import fingerprint_of
from nestor.cloud import LinkState
from nestor.document import described
from nestor.events import UpstreamState
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ledger.statistics import Statistics
from nestor.proxy.standing import Standing, State


class CAStatus(Answer):
    """The CA that issues here."""

    subject: str | None = described("Its name.", None)
    fingerprint: str | None = described("The SHA-256 of its certificate, in hex; kept when the CA is lost.", None)
    thumbprint: str | None = described("The SHA-1 of its certificate, as portals show it.", None)
    expires: Moment | None = described("When it, or a CA above it, ends.", None)
    chain_length: int = described("How many certificates /cacerts shows.")
    problem: str | None = described("Why nothing can be signed at this time, and what to do.", None)
    parent: str | None = described("The server above that it is from, where it is the CA of a layer.", None)
    renewed_from: Moment | None = described("From when on that one is asked to renew it.", None)
    renewal_problem: str | None = described("Why that one did not renew it when it was asked last.", None)


class LastIssued(Answer):
    """The certificate that was issued last."""

    serial: str = described("Its serial number, in hex.")
    profile: str = described("Its profile.")
    at: Moment = described("When it was issued.")


class Issuance(Answer):
    """What was issued and refused, from the ledger: restarts do not change it."""

    total: int = described("Certificates issued since the ledger was made.")
    by_profile: Mapping[str, int] = described("The same by profile.")
    last_24_hours: int = described("Certificates issued in the last 24 hours.")
    active: int = described("Certificates that have neither ended nor a successor, nor been revoked.")
    active_by_profile: Mapping[str, int] = described("The same by profile.")
    expiring_in_24_hours: int = described("Active certificates that end within 24 hours.")
    expiring_in_7_days: int = described("Active certificates that end within 7 days.")
    renewals_overdue: int = described(
        "Active certificates that their devices could renew, and have not in nine tenths of their life."
    )
    refused: int = described("Requests refused since the ledger was made.")
    refused_by_reason: Mapping[str, int] = described("The same by the reason.")
    revoked: int = described("Certificates revoked.")
    adopted: int = described("Certificates taken in on an operator's word, after a ledger was lost or restored.")
    pending: int = described("Requests that wait for the approval of an operator.")
    last: LastIssued | None = described("The certificate that was issued last.", None)


class ServerCertificate(Answer):
    """What the EST server shows in TLS."""

    source: str = described("Where it is from: issued, file, workload; makeshift while it cannot be had.")
    expires: Moment = described("When it ends.")


class ListenerStatus(Answer):
    """Where EST is served."""

    url: str = described("The base of the EST paths, by the first name of the server.")
    addresses: tuple[str, ...] = described("The addresses and ports it listens on.")
    server_certificate: ServerCertificate = described("What it shows in TLS.")


class LinkStatus(Answer):
    """The connection to edgeHub."""

    connected_since: Moment = described("Since when it stands.")


class UpstreamStatus(Answer):
    """The server of the layer above."""

    reached: bool = described("Whether it answers.")
    since: Moment = described("Since when it does, or does not.")
    latency: int | None = described("How long its last answer took, in milliseconds, to the next ten.", None)
    last_error: str | None = described("What is wrong, in a sentence.", None)


class RouteStatus(Answer):
    """One route of the API proxy."""

    state: str = described("What was seen of its target last: works, fails, or unused.")
    since: Moment = described("Since when that is so.")
    latency: int | None = described("After how long its last answer began, in milliseconds, to the next ten.", None)
    last_error: str | None = described("What is wrong, in a sentence, while it fails.", None)


class Routes(Answer):
    """The routes of the API proxy."""

    failing: int = described("How many of them fail.")
    by_name: Mapping[str, RouteStatus] = described("Each by its name, those that fail first.")


class HealthStatus(Answer):
    """Whether it issues."""

    ready: bool = described("Whether certificates are issued at this time.")
    problems: Mapping[str, str] = described("What keeps them from being issued, by name, and what to do.")
    warnings: tuple[str, ...] = described("What endangers the data directory or the CA of a layer, and what to do.")


class LastRefusedSettings(Answer):
    """The last settings that did not hold; gone when settings are applied again."""

    at: Moment = described("When they were refused.")
    sentence: str = described("What is wrong in them, by path, and what to do.")


class Status(Answer):
    """Everything."""

    version: str = described("The version of Nestor.")
    started_at: Moment = described("When this process started.")
    health: HealthStatus = described("Whether it issues.")
    ca_status: CAStatus = described("The CA that issues here.")
    listener_status: ListenerStatus = described("Where EST is served.")
    link_status: LinkStatus | None = described("The connection to edgeHub.", None)
    upstream_status: UpstreamStatus | None = described("The server of the layer above, where there is one.", None)
    route_status: Routes | None = described("The routes of the API proxy, where there are any.", None)
    last_refused_settings: LastRefusedSettings | None = described("The last settings that did not hold.", None)
    issuance: Issuance | None = described("What was issued and refused; nothing while the ledger cannot be read.", None)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the server itself does not know: when it started, how the link is, which settings were refused."""

    started_at: datetime
    link: LinkState
    refused: LastRefusedSettings | None = None


def status_of(server: Server, circumstances: Circumstances, statistics: Statistics | None) -> Status:
    """The status at this moment."""
    house, link = server.house, circumstances.link
    problems = house.problems()
    return Status(
        version=__version__,
        started_at=circumstances.started_at,
        health=HealthStatus(ready=not problems, problems=problems, warnings=_warnings(server)),
        ca_status=_ca(server),
        listener_status=_listener(server),
        link_status=LinkStatus(connected_since=link.since) if link.connected else None,
        upstream_status=None if house.parent is None else _upstream(house.parent.state),
        route_status=_routes(server.routes()),
        last_refused_settings=circumstances.refused,
        issuance=None if statistics is None else issuance_of(statistics),
    )


async def read_statistics(server: Server) -> Statistics | None:
    """The figures of the ledger; None where it is lost. Raises CannotIssue where it cannot be read."""
    ground, house = server.ground, server.house
    if not isinstance(ground.ledger, SQLiteLedger):
        return None
    renewed = renewed_profiles(build_catalog(house.settings.profiles))
    return await ground.ledger.statistics(ground.clock.now(), renewed)


def renewed_profiles(catalog: Catalog) -> Collection[str]:
    """Profiles that devices renew: by a certificate of the same, as an identity, or of another, as an Edge CA."""
    traits = [profile.traits for profile in catalog]
    return {one.name for one in traits if one.renewable}.union(*(one.may_request for one in traits))


def issuance_of(statistics: Statistics) -> Issuance:
    """The figures in the words of the report."""
    last = statistics.last
    return Issuance(
        total=sum(statistics.issued.values()),
        by_profile=statistics.issued,
        last_24_hours=statistics.issued_in_day,
        active=sum(statistics.active.values()),
        active_by_profile=statistics.active,
        expiring_in_24_hours=statistics.ending_in_day,
        expiring_in_7_days=statistics.ending_in_week,
        renewals_overdue=statistics.overdue,
        refused=sum(statistics.refused.values()),
        refused_by_reason=statistics.refused,
        revoked=statistics.revoked,
        adopted=statistics.adopted,
        pending=statistics.pending,
        last=LastIssued(serial=f"{last.serial:x}", profile=last.profile, at=last.at) if last else None,
    )


def _warnings(server: Server) -> tuple[str, ...]:
    ground = server.ground
    of_the_ca = server.upkeep.warnings(server.house.settings, ground.data, ground.clock.now())
    return (*ground.warnings, *of_the_ca)


def _ca(server: Server) -> CAStatus:
    house = server.house
    certificates = house.authority.chain()
    if not certificates:
        return CAStatus(chain_length=0, problem=house.authority.problem())
    issuer = certificates[0]
    life = server.upkeep.ca_life(house.settings, server.ground.data)
    return CAStatus(
        subject=issuer.subject.rfc4514_string(),
        fingerprint=fingerprint_of(issuer),
        thumbprint=issuer.fingerprint(SHA1()).hex(),  # noqa: S303 -- how portals show it
        expires=min(certificate.not_valid_after_utc for certificate in certificates),
        chain_length=len(certificates),
        problem=house.authority.problem(),
        parent=life.parent if life else None,
        renewed_from=life.renewed_at if life else None,
        renewal_problem=life.problem if life else None,
    )


def _upstream(state: UpstreamState) -> UpstreamStatus:
    return UpstreamStatus(
        reached=bool(state.reached),
        since=state.since,
        latency=None if state.latency is None else _tens(state.latency),
        last_error=state.sentence,
    )


def _routes(standings: Mapping[str, Standing]) -> Routes | None:
    if not standings:
        return None
    ordered = sorted(standings.items(), key=lambda pair: (pair[1].state is not State.FAILS, pair[0]))
    failing = sum(standing.state is State.FAILS for standing in standings.values())
    return Routes(failing=failing, by_name={name: _route(standing) for name, standing in ordered})


def _route(standing: Standing) -> RouteStatus:
    return RouteStatus(
        state=standing.state.value,
        since=standing.since,
        latency=None if standing.answered_in is None else _tens(standing.answered_in),
        last_error=standing.last_error if standing.state is State.FAILS else None,
    )


def _tens(seconds: float) -> int:
    """Milliseconds, to the next ten: what changes less is reported less."""
    return math.ceil(seconds * 100) * 10


def _listener(server: Server) -> ListenerStatus:
    house = server.house
    source = house.settings.listener.server_certificate.source.value
    return ListenerStatus(
        url=url_of(house, server.addresses),
        addresses=written(server.addresses),
        server_certificate=ServerCertificate(
            source="makeshift" if house.identity.makeshift else source,
            expires=house.identity.certificate.not_valid_after_utc,
        ),
    )
