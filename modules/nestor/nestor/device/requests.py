"""What a device will ask an EST server for, request by request, as its config makes aziot-certd do it. Pure.

A bootstrap certificate gets an EST identity first, at the URL of the certificate that is wanted, and that identity gets
everything else. The shapes of the requests are those of iot-edge's services; who builds them is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from nestor.device.auth import Auth, Pair
from nestor.device.config import DEVICE_ID, EST_ID, DeviceConfig, Issuance
from nestor.device.form import is_placeholder
from nestor.device.moments import Moment, moment_of
from nestor.device.part import Part


class Kind(StrEnum):
    """Kinds of requests, in the words of a sentence."""

    EST_IDENTITY = "EST identity"
    DEVICE_IDENTITY = "device identity"
    EDGE_CA = "Edge CA"


@dataclass(frozen=True, slots=True)
class Renewal:
    """When and where a certificate renews, and whether with another key."""

    url: str
    moment: Moment
    rotate_key: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: for what, where, and who shows what.

    `login` goes along as Basic authentication. In TLS the device shows `files`, or the certificate that the request
    with the id `identity` got, or none.
    """

    at: str
    id: str
    kind: Kind
    subject: Mapping[str, str]
    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    files: Pair | None = None
    identity: str | None = None
    renewal: Renewal | None = None


def requests_of(config: DeviceConfig) -> tuple[Asked, ...]:
    """The requests of a device that has nothing yet, in their order; those that cannot be made are left out."""
    asked: dict[str, Asked] = {}
    for issuance in config.enrolled:
        for one in _requests(config, issuance):
            asked.setdefault(one.id, one)
    return tuple(asked.values())


def _requests(config: DeviceConfig, issuance: Issuance) -> Iterator[Asked]:
    auth, place, subject = config.auth_of(issuance), config.url_of(issuance), config.subject_of(issuance)
    if place is None or subject is None or not auth.is_usable:
        return
    identity = _identity_of(config, issuance, auth) if auth.bootstrap else None
    if identity is not None:
        yield Asked(
            at=auth.part.at,
            id=identity,
            kind=Kind.EST_IDENTITY,
            # certd names it as the file names the certificate that is wanted, which may differ from what is asked.
            subject=dict(issuance.subject) if issuance.id == DEVICE_ID and issuance.subject else subject,
            url=place[1],
            login=_login(auth),
            files=auth.bootstrap,
            renewal=_identity_renewal(config, issuance, identity),
        )
    yield Asked(
        at=issuance.part.at,
        id=issuance.id,
        kind=Kind.DEVICE_IDENTITY if issuance.id == DEVICE_ID else Kind.EDGE_CA,
        subject=subject,
        url=place[1],
        login=_login(auth),
        files=auth.identity,
        identity=identity,
        renewal=_renewal(config, issuance),
    )


def _identity_of(config: DeviceConfig, issuance: Issuance, auth: Auth) -> str:
    """The id of the EST identity: one for all, or one of its own where a certificate has its own authentication."""
    return EST_ID if auth.part.at == config.est_auth.part.at else f"{EST_ID}-{issuance.id}"


def _login(auth: Auth) -> tuple[str, str] | None:
    login = auth.login
    return None if login is None or any(map(is_placeholder, login)) else login


def _renewal(config: DeviceConfig, issuance: Issuance) -> Renewal | None:
    """A device identity renews by DPS only, and only where the file says so; an Edge CA by itself."""
    part = issuance.part.part("auto_renew")
    if issuance.id == DEVICE_ID and (part is None or not config.uses_dps):
        return None
    return _as_said(part, config.url_of(issuance, renewal=True))


def _identity_renewal(config: DeviceConfig, issuance: Issuance, identity: str) -> Renewal | None:
    """An EST identity always renews, with itself."""
    place = config.listed_url(EST_ID) if identity == EST_ID else config.url_of(issuance)
    return _as_said(config.est.part("identity_auto_renew"), place)


def _as_said(part: Part | None, place: tuple[str, str] | None) -> Renewal | None:
    moment = moment_of(part, "threshold")
    rotate = part is None or part.table.get("rotate_key") is not False
    return Renewal(place[1], moment, rotate) if place and moment else None
