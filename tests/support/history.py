"""What must hold of the certificates that a device came by over time: in its own hands, and in the ledger.

It reads the ledger's file itself, with nothing of Nestor between.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509

from support.renewal import lifetime_of
from support.runtime import DEVICE_IDENTITY, EDGE_CA, EST_IDENTITY, Obtained, Runtime

PROFILES = {DEVICE_IDENTITY: "deviceIdentity", EST_IDENTITY: "estIdentity", EDGE_CA: "edgeCa"}
_BACKDATED, _SHARE = timedelta(minutes=5), 20
_HASTE = timedelta(minutes=1)
"""What passes between two looks at a clock: devices and servers of tests are not that slow."""


@dataclass(frozen=True)
class Row:
    """A certificate as the ledger has it."""

    serial: int
    issued_at: datetime
    not_after: datetime
    state: str
    method: str
    origin: str
    csr_sha256: bytes
    spki_sha256: bytes


def rows(ledger: Path, device: str, profile: str) -> list[Row]:
    """What was issued to a device, in its order."""
    wanted = "serial, issued_at, not_after, state, method, origin, csr_sha256, spki_sha256"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        found = connection.execute(
            f"SELECT {wanted} FROM certificates WHERE device = ? AND profile = ? ORDER BY id", (device, profile)
        ).fetchall()
    return [
        Row(int.from_bytes(serial, "big"), _moment(issued), _moment(end), *rest) for serial, issued, end, *rest in found
    ]


def check(device: Runtime, kind: str, lifetime: timedelta, jitter: float = 0.0) -> list[Obtained]:
    """Whether a device was served well: always one good certificate, never one too many; its history of a kind."""
    got = device.obtained(kind)
    assert got, device.journal
    for one in got:
        check_one(one, lifetime, jitter)
    for before, after in pairwise(got):
        check_change(device, before, after)
    check_rows(device, kind, got)
    return got


def check_one(one: Obtained, lifetime: timedelta, jitter: float) -> None:
    """A certificate that is good from now on, for the time that its profile gives."""
    new = one.new
    backdated = one.at - new.not_valid_before_utc
    assert timedelta(0) <= backdated <= min(_BACKDATED, lifetime / _SHARE) + _HASTE
    assert lifetime * (1 - jitter) - timedelta(seconds=1) <= lifetime_of(new) <= lifetime


def check_change(device: Runtime, before: Obtained, after: Obtained) -> None:
    """A renewal in time: another certificate, for the same names, while the old one is still good."""
    old, new = before.new, after.new
    assert after.old == old
    assert new.serial_number != old.serial_number
    assert (new.subject, new.issuer) == (old.subject, old.issuer)
    assert new.not_valid_before_utc <= after.at < old.not_valid_after_utc < new.not_valid_after_utc
    assert (new.public_key() != old.public_key()) is device.policy.rotate_key


def check_rows(device: Runtime, kind: str, got: Sequence[Obtained]) -> None:
    """The ledger has each certificate once, in order; each took the place of the one before it."""
    found = rows(device.server.ledger, device.name, PROFILES[kind])
    assert [row.serial for row in found] == [one.new.serial_number for one in got]
    states = [row.state for row in found]
    outlived = [later.issued_at < row.not_after for row, later in pairwise(found)]
    assert states == [*("superseded" if was else "active" for was in outlived), "active"]


def issuers(got: Sequence[Obtained]) -> set[x509.Name | None]:
    """Whose certificates the device authenticated with; None where it showed none."""
    return {one.by.issuer if one.by else None for one in got}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
