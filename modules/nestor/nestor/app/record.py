"""How people name a certificate of the ledger, what they may look for, and what has become of it in their words.

The command line and the direct methods ask alike.
"""

import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from nestor.model import Entry, State

if TYPE_CHECKING:
    from nestor.ledger.listing import Selection

EXPIRED = "expired"
"""What becomes of an active certificate by itself; the ledger need not be told."""


class Wanted(StrEnum):
    """The states that a person can ask for."""

    ACTIVE = State.ACTIVE
    SUPERSEDED = State.SUPERSEDED
    REVOKED = State.REVOKED
    EXPIRED = EXPIRED


@dataclass(frozen=True, slots=True)
class Search:
    """Which certificates somebody looks for; what is left out does not matter.

    `device` and `asked_by` are patterns, `serial` and `thumbprint` digits in hex, or the first of them. Certificates
    that have ended are not among them unless `every` says so, one is named, or the state is not `active`.
    """

    device: str = "*"
    asked_by: str = "*"
    serial: str = ""
    thumbprint: str = ""
    profile: str | None = None
    state: Wanted | None = None
    expiring_in: timedelta | None = None
    every: bool = False


def selection_of(search: Search, now: datetime) -> "Selection":
    """What the ledger is asked for."""
    from nestor.ledger.listing import Selection  # noqa: PLC0415 -- SQLAlchemy

    expired = search.state is Wanted.EXPIRED
    named = search.every or search.serial or search.thumbprint
    past = expired or (named and search.state is not Wanted.ACTIVE)
    before = now if expired else None
    return Selection(
        device=search.device,
        requester=search.asked_by,
        serial=search.serial,
        thumbprint=search.thumbprint,
        profile=search.profile,
        state=State.ACTIVE if expired else State(search.state) if search.state else None,
        valid_at=None if past else now,
        expiring_before=before if search.expiring_in is None else now + search.expiring_in,
    )


def hex_digits(identifier: str) -> str:
    """A serial number or thumbprint in plain hex, as portals, tools and our tables write it. Raises ValueError."""
    digits = identifier.rstrip(".…").replace(":", "").replace(" ", "").lower().removeprefix("0x")
    if not digits or set(digits) - set(string.hexdigits):
        msg = f"{identifier} is neither a serial number nor a thumbprint; write it in hex"
        raise ValueError(msg)
    return digits


def state_of(entry: Entry, now: datetime) -> str:
    """What has become of a certificate, as people would say it."""
    return EXPIRED if entry.state is State.ACTIVE and entry.not_after <= now else entry.state.value
