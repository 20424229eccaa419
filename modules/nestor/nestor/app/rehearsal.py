"""What the server would say to a device: its requests are tried on a stage, the first ones and the first renewals.

Nothing of the policy is written here again: the desk that decides is the server's own. Renewals by password, and those
of the EST identity, are tried at their time; all others show that identity again, and were tried with it before.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from nestor.access.build import known_users
from nestor.access.verifier import WRONG
from nestor.app.authority import Source
from nestor.app.imitation import key_for, request_for
from nestor.app.known import known_server
from nestor.app.stage import Stage, open_stage
from nestor.device.config import DeviceConfig
from nestor.device.files import Disk
from nestor.device.findings import problem, warning
from nestor.device.material import certificates_in
from nestor.device.places import path_of
from nestor.device.renewal import check_lifetime
from nestor.device.requests import Asked, Kind, requests_of
from nestor.device.server import check_server, label_of
from nestor.errors import NestorError
from nestor.est import transfer
from nestor.est.transfer import Dialect
from nestor.finding import Finding, Gravity
from nestor.model import Credentials, Entry, Operation
from nestor.registrar.desk import Ask

_HERE = "127.0.0.1"


@dataclass(slots=True)
class _Play:
    """A rehearsal on its way: what the device has by now."""

    stage: Stage
    source: Source
    disk: Disk | None
    kept: dict[str, Entry] = field(default_factory=dict)
    keys: dict[str, CertificateIssuerPrivateKeyTypes] = field(default_factory=dict)


async def consult(config: DeviceConfig, disk: Disk | None, source: Source) -> list[Finding]:
    """All that the server of a data directory has to say to a config: whether it is met there, and what it would issue.

    Raises SettingsError or MaterialError where that server could not start.
    """
    return [*check_server(config, known_server(source), disk), *await rehearse(config, disk, source)]


async def rehearse(config: DeviceConfig, disk: Disk | None, source: Source) -> list[Finding]:
    """What the server would issue to this device, and what it would refuse, and why. Raises as `consult` does."""
    found: list[Finding] = []
    asked = requests_of(config)
    async with open_stage(source) as stage:
        play = _Play(stage, source, disk)
        for one in asked:
            found += await _first(play, one)
        for issuance in config.enrolled:
            entry = play.kept.get(issuance.id)
            if entry is not None:
                found += check_lifetime(issuance, entry.not_before, entry.not_after)
        for moment, one in _renewals(play, asked):
            stage.clock.go_on_to(moment)
            found += await _renewed(play, one)
    return found


async def _first(play: _Play, asked: Asked) -> list[Finding]:
    """Try a request for the first time."""
    if asked.files is not None and not _certificates(play, asked):
        path = path_of(asked.files.certificate)
        sentence = f"{path} cannot be read here, so what this server says to it is not known."
        return [warning(asked.files.certificate_at, sentence, "Look at the device's tree: --root DIR.")]
    if asked.identity is not None and asked.identity not in play.kept:
        return []  # what gets it was refused, or could not be tried
    if asked.login is None and asked.files is None and asked.identity is None:
        return []  # the password is still a placeholder
    return await _try(play, asked, f"this server would refuse the {asked.kind}", tell=True)


async def _renewed(play: _Play, asked: Asked) -> list[Finding]:
    """Try the first renewal of what was issued."""
    when = f"{play.stage.clock.now():%Y-%m-%d}"
    return await _try(play, asked, f"this server would refuse to renew the {asked.kind} on {when}", tell=False)


async def _try(play: _Play, asked: Asked, refused: str, *, tell: bool) -> list[Finding]:
    try:
        label = label_of(asked.url)
    except ValueError:
        return []  # found already: nothing is served there
    try:
        body = transfer.encode(request_for(asked.kind, asked.subject, _key(play, asked)), Dialect.WRAPPED)
    except ValueError as error:
        return [problem(asked.at, f"no certificate can have this subject: {error}.", "Check common_name and subject.")]
    ask = Ask(Operation.SIMPLE_ENROLL, label, body, _credentials(play, asked), "")
    try:
        await play.stage.registrar.enroll(ask)
    except NestorError as fault:
        why = _explained(play, asked, fault)
        return [problem(asked.at, f"{refused}. {why.sentence}", why.hint)]
    entry = play.kept[asked.id] = play.stage.ledger.entries[-1]
    return [_issued(asked, entry)] if tell else []


def _issued(asked: Asked, entry: Entry) -> Finding:
    days = f"{entry.not_before:%Y-%m-%d} to {entry.not_after:%Y-%m-%d}"
    sentence = f"{asked.at}: this server would issue the {asked.kind} {entry.subject} ({entry.profile}, {days})."
    return Finding(Gravity.FINE, asked.at, sentence)


def _renewals(play: _Play, asked: tuple[Asked, ...]) -> list[tuple[datetime, Asked]]:
    """What is tried again, in the order of time: requests with a password alone, and EST identities with themselves."""
    found = []
    for one in asked:
        entry, renewal = play.kept.get(one.id), one.renewal
        if entry is None or renewal is None:
            continue
        again = replace(one, url=renewal.url)
        if one.kind is Kind.EST_IDENTITY:
            again = replace(again, files=None, identity=one.id)
        elif one.identity is not None or one.files is not None:
            continue
        if renewal.rotate_key:
            play.keys.pop(one.id, None)
        moment = renewal.moment.within(entry.not_before, entry.not_after)
        found.append((moment, again))
    return sorted(found, key=lambda pair: pair[0])


def _key(play: _Play, asked: Asked) -> CertificateIssuerPrivateKeyTypes:
    """The key that the device has for this certificate, made when it is needed."""
    if asked.id not in play.keys:
        play.keys[asked.id] = key_for(asked.kind)
    return play.keys[asked.id]


def _credentials(play: _Play, asked: Asked) -> Credentials:
    user, password = asked.login or (None, None)
    chain = _certificates(play, asked)
    return Credentials(
        address=_HERE,
        certificate=chain[0] if chain else None,
        chain=chain[1:],
        user=user,
        password=password,
    )


def _certificates(play: _Play, asked: Asked) -> tuple[x509.Certificate, ...]:
    """What the device shows in TLS."""
    if asked.identity is not None:
        return (x509.load_der_x509_certificate(play.kept[asked.identity].der),)
    path = path_of(asked.files.certificate) if asked.files else None
    return certificates_in(play.disk.content_of(path)) if path and play.disk else ()


def _explained(play: _Play, asked: Asked, fault: NestorError) -> NestorError:
    """A stranger is not told which of name, password and time is wrong; the operator, who asks here, may know."""
    if asked.login is None or fault.sentence != WRONG:
        return fault
    user = known_users(play.source.settings.access, play.source.data).find(asked.login[0])
    if user is None:
        return NestorError(f"It has no user {asked.login[0]}.", f"nestor user add {asked.login[0]}")
    if user.expires is not None and user.expires <= play.stage.clock.now():
        hint = "Give the device a password that lasts, or a bootstrap certificate."
        return NestorError(f"The password of {user.name} ends on {user.expires:%Y-%m-%d}.", hint)
    return NestorError(f"The password of {user.name} is another one.", "Write the right one; nestor user add sets one.")
