"""One visit at a server, in the order in which a person would look: the way there, TLS, what it shows, whom it lets in.

Here is only what is asked when, and what is left out after a failure; every judgement is somebody else's.
"""

import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

from cryptography import x509

from nestor.doctor import authentication, handshake, reach, readiness, verdict
from nestor.doctor.alerts import demands_certificate
from nestor.doctor.cacerts import Detour, ca_certificates, closed_to_strangers, judge_cacerts, judge_csr_attributes
from nestor.doctor.caller import Caller
from nestor.doctor.certificate import judge_certificate
from nestor.doctor.clock import judge_clock
from nestor.doctor.itself import judge_itself
from nestor.doctor.layers import judge_layers
from nestor.doctor.plan import Plan
from nestor.doctor.requests import wrapped
from nestor.doctor.seen import STRANGER, Credential, Door, Ending, Identity, Login, Place, Presented, Talk
from nestor.doctor.trials import Trials
from nestor.doctor.trust import judge_belief
from nestor.doctor.wire import Wire
from nestor.doctor.words import Topic
from nestor.est.menu import BASE
from nestor.finding import Finding
from nestor.model import Operation
from nestor.ports import Clock

_NOBODY = "nestor-doctor"
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOWHERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


def examine(plan: Plan, clock: Clock) -> list[Finding]:
    """Look at a server; the last finding is the verdict."""
    found = list(_look(plan, clock))
    return [*found, verdict.judge_all(found, enrolled=plan.device is not None)]


def _look(plan: Plan, clock: Clock) -> Iterator[Finding]:
    """From the URL to the server's certificate; then on, where there is a connection."""
    wire = Wire(plan.address, clock, plan.patience)
    yield from reach.judge_url(plan.address)
    place = yield from _find_place(plan, wire)
    if place is None:
        yield verdict.left_out(Topic.TLS, "for nothing can be connected to")
        return
    caller = Caller(plan, wire, place, clock)
    strangers = yield from _look_at_tls(caller)
    identity = plan.credential.identity
    presented = caller.present(identity) if identity and strangers and plan.address.secure else None
    talks = [*strangers, *(presented.talks if presented else ())]
    session = next((talk.session for talk in talks if talk.session), None)
    if session is None and (plan.address.secure or not talks):
        yield verdict.left_out(Topic.CERTIFICATE, "for want of a TLS session")
        return
    if session is not None:
        yield from judge_certificate(session.chain, plan.address.host, clock.now())
        yield from judge_belief(session.chain, plan.anchors, clock.now())
    believed = session is not None and caller.believes(session)
    yield from _look_at_est(caller, talks, presented, clock, believed=believed)


def _find_place(plan: Plan, wire: Wire) -> Generator[Finding, None, Place | None]:
    """The first address that takes connections."""
    lookup = wire.look_up()
    yield from reach.judge_lookup(plan.address, lookup)
    reached = [wire.reach(place) for place in lookup.places]
    yield from reach.judge_reach(reached)
    found = next((one.place for one in reached if one.door is Door.OPEN), None)
    asked = [found] if found else lookup.places
    yield from judge_itself(plan.here, own=any(map(wire.is_own, asked)), answered=found is not None)
    return found


def _look_at_tls(caller: Caller) -> Generator[Finding, None, list[Talk]]:
    """Each version alone, without a certificate; what came of it, the newest version first."""
    if not caller.plan.address.secure:
        return (yield from _look_at_plain_http(caller))
    talks = caller.versions()
    if all(talk.ending is Ending.NO_TLS for talk in talks.values()):
        yield from handshake.judge_plain_http(caller.plain())
        return []
    yield from handshake.judge_versions(talks)
    yield from handshake.judge_client_request(talks, has_identity=caller.plan.credential.identity is not None)
    return list(reversed(talks.values()))


def _look_at_plain_http(caller: Caller) -> Generator[Finding, None, list[Talk]]:
    """What a URL without TLS comes to: perhaps the port speaks TLS after all."""
    plain = caller.plain()
    if plain.status != HTTPStatus.OK and caller.secure().session is not None:
        yield handshake.speaks_tls(caller.plan.address.url)
        return []
    return [plain]


def _look_at_est(
    caller: Caller, talks: Sequence[Talk], presented: Presented | None, clock: Clock, *, believed: bool
) -> Iterator[Finding]:
    """What is said over the connection."""
    plan = caller.plan
    if not any(talk.answer for talk in talks) and any(map(demands_certificate, talks)):
        yield from _judge_identity(plan.credential.identity, presented, (), clock)
        yield verdict.left_out(Topic.CACERTS, "for nobody comes in without a certificate that the server knows")
        return
    device = _usable(plan.credential, presented, believed=believed)
    usual = next((talk for talk in talks if talk.answer), talks[0])
    if device.login is not None:
        usual = caller.device(Operation.CACERTS, device)
    yield from _look_at_cacerts(caller, device, usual, clock)
    if usual.answer is None:
        yield verdict.left_out(Topic.AUTHENTICATION, "for the server does not answer")
        return
    if plan.credential.login is not None and not believed:
        yield verdict.left_out(Topic.AUTHENTICATION, "for no password is sent to a server that is not believed")
        return
    stranger = caller.stranger(Operation.SIMPLE_ENROLL, wrapped(authentication.NO_REQUEST))
    if {stranger.status, usual.status} <= _NOWHERE:
        yield verdict.left_out(Topic.AUTHENTICATION, "for nothing is served on that path")
        return
    yield from authentication.judge_stranger(stranger)
    cacerts = ca_certificates(usual)
    yield from _judge_identity(plan.credential.identity, presented, cacerts, clock)
    yield from _look_at_credentials(caller, device, stranger)
    yield from _look_above(caller, device, usual)
    if plan.device is None:
        yield verdict.not_enrolled()
    elif not believed:
        yield verdict.left_out(Topic.ENROLLMENT, "for a device asks nothing of a server that it does not believe")
    elif not cacerts:
        yield verdict.left_out(Topic.ENROLLMENT, "for aziot-certd keeps nothing while /cacerts fails")
    elif stranger.status in _NOWHERE or device.identity != plan.credential.identity:
        yield verdict.left_out(Topic.ENROLLMENT, "for a device would not come so far")
    else:
        certificates = any(talk.wanted_certificate for talk in talks)
        yield from Trials(caller, plan.device, device, clock, certificates=certificates).findings()


def _look_at_cacerts(caller: Caller, device: Credential, usual: Talk, clock: Clock) -> Iterator[Finding]:
    """/cacerts as aziot-certd asks for it, and what stands beside it."""
    if usual.answer is not None:
        yield from judge_clock(usual.answer)
    detours = _detours(caller) if usual.status in _NOWHERE else []
    if usual.status in _REFUSED and device == STRANGER:
        yield closed_to_strangers(usual.status)
    else:
        yield from judge_cacerts(usual, detours, clock.now(), edge_ca=caller.plan.edge_ca)
    if usual.answer is not None and ca_certificates(usual):
        yield from judge_csr_attributes(caller.stranger(Operation.CSR_ATTRS))
    if usual.answer is not None and readiness.is_nestor(usual.answer):
        yield from readiness.judge_readiness(caller.path(readiness.PATH))


def _look_above(caller: Caller, device: Credential, usual: Talk) -> Iterator[Finding]:
    """From a Nestor to the top, as far as it tells."""
    if usual.answer is not None and readiness.is_nestor(usual.answer):
        yield from judge_layers(caller.layers(device), caller.plan.address.server)


def _detours(caller: Caller) -> list[Detour]:
    """Where else /cacerts might be."""
    address = caller.plan.address
    slashed = "It is served with a slash at its end; aziot-certd adds none, so let the server answer without."
    detours = [Detour(slashed, caller.path(f"{address.path(Operation.CACERTS)}/"))]
    if address.label is not None:
        words = f"It is served without the label {address.label}: the server knows no such label."
        detours.append(Detour(words, caller.path(replace(address, label=None).path(Operation.CACERTS))))
    if address.base != BASE:
        words = f"It is served at {BASE}: write {replace(address, base=BASE, label=None).url} into config.toml."
        detours.append(Detour(words, caller.path(f"{BASE}/{Operation.CACERTS}")))
    return detours


def _usable(credential: Credential, presented: Presented | None, *, believed: bool) -> Credential:
    """What of the credential may be sent, and is taken in TLS."""
    taken = presented is not None and presented.taken
    return Credential(credential.login if believed else None, credential.identity if taken else None)


def _judge_identity(
    identity: Identity | None, presented: Presented | None, cacerts: Sequence[x509.Certificate], clock: Clock
) -> Iterator[Finding]:
    if identity is not None and presented is not None:
        yield from authentication.judge_identity(identity, clock.now())
        yield from authentication.judge_presented(presented, cacerts, identity)


def _look_at_credentials(caller: Caller, device: Credential, stranger: Talk) -> Iterator[Finding]:
    """Wrong ones, and those at hand; an enrollment tells of these by itself."""
    body = wrapped(authentication.NO_REQUEST)
    if device.login is not None:
        wrong = Credential(Login(_NOBODY, secrets.token_urlsafe()))
        yield from authentication.judge_wrong_password(stranger, caller.stranger(Operation.SIMPLE_ENROLL, body, wrong))
    if caller.plan.credential == STRANGER:
        yield authentication.nothing_given()
    elif device != STRANGER and caller.plan.device is None:
        known = caller.device(Operation.SIMPLE_ENROLL, device, body)
        yield from authentication.judge_known(stranger, known, device)
