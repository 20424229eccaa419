"""What the ledger answers; every answer is what is committed at that moment, by whatever process.

The questions of an enrollment take microseconds, less than handing them to a thread would: they run where they are
asked.
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nestor.adoption import Adoption
from nestor.approval import Approval
from nestor.conveyance import Intent
from nestor.ledger import statements
from nestor.ledger.connection import cannot_issue, connect, damaged
from nestor.ledger.listing import SHA1
from nestor.ledger.rows import (
    Row,
    moment,
    read_adoption,
    read_approval,
    read_entry,
    read_intent,
    read_refusal,
    seconds,
    serial_bytes,
)
from nestor.ledger.statistics import Statistics, moments, put_together
from nestor.ledger.wholeness import is_whole
from nestor.model import Entry, Method, OneTime, Refusal, Standing


@dataclass(frozen=True, slots=True)
class Counters:
    """How often what happened, since the ledger was made: issued by profile, refused by reason, adopted by word."""

    issued: Mapping[str, int]
    refused: Mapping[str, int]
    adopted: Mapping[str, int]
    revoked: int


@contextmanager
def told() -> Iterator[None]:
    """Turn what goes wrong while reading into CannotIssue."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise cannot_issue(error) from error
    except (ValueError, TypeError, OverflowError) as error:
        raise damaged() from error


def _sha1(der: bytes) -> bytes:
    # What portals call the thumbprint of a certificate.
    return hashlib.sha1(der, usedforsecurity=False).digest()


class Reader:
    """One connection that only reads. Everything here raises CannotIssue where the ledger cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with told():
            self._connection = connect(path, writable=False)
            self._connection.create_function(SHA1, 1, _sha1, deterministic=True)

    def find(self, sha256: bytes) -> Entry | None:
        """The entry of a certificate by its SHA-256."""
        return self._entry(statements.BY_SHA256, {"sha256": sha256})

    def of_serial(self, serial: int) -> Sequence[Entry]:
        """The entries of certificates by their serial number, oldest first: one for each issuer at most."""
        return self.entries(statements.BY_SERIAL, {"serial": serial_bytes(serial)})

    def standing(
        self,
        *,
        device: str,
        profile: str,
        spki_sha256: bytes,
        replay_key: bytes,
        one_time: OneTime | None,
        now: datetime,
    ) -> Standing:
        """Everything that bears on one request."""
        given = {
            "device": device,
            "profile": profile,
            "spki_sha256": spki_sha256,
            "replay_key": replay_key,
            "one_time": one_time.key if one_time else None,
            "now": seconds(now),
        }
        ((replay_id, origin, key_used, spent_at, held),) = self._rows(statements.STANDING, given)
        replay = self._entry(statements.BY_ID, {"id": replay_id}) if replay_id is not None else None
        with told():
            return Standing(
                replay=replay,
                origin=Method(origin) if origin is not None else None,
                key_used=bool(key_used),
                spent_at=moment(spent_at) if spent_at is not None else None,
                held=bool(held),
            )

    def last_spent(self, one_time: OneTime) -> datetime | None:
        """When a one-time password last gave a certificate; None where it did not yet."""
        ((used_at,),) = self._rows(statements.LAST_SPENT, {"one_time": one_time.key})
        with told():
            return None if used_at is None else moment(used_at)

    def live(self, device: str, now: datetime) -> Sequence[Entry]:
        """The unexpired, unrevoked certificates of a device, oldest first."""
        return self.entries(statements.LIVE, {"device": device, "now": seconds(now)})

    def of_key(self, spki_sha256: bytes) -> Sequence[Entry]:
        """Every certificate of a public key, oldest first."""
        return self.entries(statements.BY_KEY, {"spki_sha256": spki_sha256})

    def newest(self, limit: int) -> Sequence[Entry]:
        """The entries that were written last, newest first."""
        return self.entries(statements.NEWEST, {"limit": limit})

    def refusals(self, limit: int) -> Sequence[Refusal]:
        """The requests that were refused last, newest first."""
        with told():
            return [read_refusal(row) for row in self._rows(statements.REFUSALS, {"limit": limit})]

    def intents(self) -> Sequence[Intent]:
        """What was sent to a server above and whose end is not known, oldest first."""
        with told():
            return [read_intent(row) for row in self._rows(statements.INTENTS, {})]

    def adoptions(self) -> Sequence[Adoption]:
        """Every word about unknown certificates, oldest first."""
        with told():
            return [read_adoption(row) for row in self._rows(statements.ADOPTIONS, {})]

    def approval(self, key: bytes, now: datetime) -> Approval | None:
        """What was said of a request that has to be approved, or that it waits."""
        with told():
            rows = self._rows(statements.APPROVAL, {"key": key, "now": seconds(now)})
            return read_approval(rows[0]) if rows else None

    def approvals(self, now: datetime) -> Sequence[Approval]:
        """Everything that waits or was decided and is not forgotten yet, the oldest first."""
        with told():
            return [read_approval(row) for row in self._rows(statements.APPROVALS, {"now": seconds(now)})]

    def counters(self) -> Counters:
        """How often what happened."""
        kinds: dict[str, dict[str, int]] = {"issued": {}, "refused": {}, "adopted": {}, "revoked": {}}
        for kind, name, value in self._rows(statements.COUNTERS, {}):
            kinds.setdefault(kind, {})[name] = value
        return Counters(kinds["issued"], kinds["refused"], kinds["adopted"], sum(kinds["revoked"].values()))

    def statistics(self, now: datetime, renewed: Collection[str]) -> Statistics:
        """What all of it adds up to at this time; looks at every certificate that has not ended."""
        times = moments(now)
        ((issued_in_day,),) = self._rows(statements.ISSUED_IN_DAY, times)
        last = next(iter(self._rows(statements.LAST_ISSUED, {})), None)
        with told():
            counters, tallies = self._rows(statements.COUNTERS, {}), self._rows(statements.TALLIES, times)
            ((pending,),) = self._rows(statements.PENDING, times)
            return replace(put_together(counters, tallies, issued_in_day, last, renewed), pending=pending)

    def fact(self, name: str) -> str | None:
        """What is kept under a name."""
        rows = self._rows(statements.FACT, {"name": name})
        return str(rows[0][0]) if rows else None

    def entries(self, statement: str, given: Mapping[str, Any]) -> Sequence[Entry]:
        """The entries that a statement asks for."""
        with told():
            return [read_entry(row) for row in self._rows(statement, given)]

    def is_whole(self) -> bool:
        """Whether no end of the ledger's file is cut off."""
        with told():
            return is_whole(self._connection, self._path)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _entry(self, statement: str, given: Mapping[str, Any]) -> Entry | None:
        found = self.entries(statement, given)
        return found[0] if found else None

    def _rows(self, statement: str, given: Mapping[str, Any]) -> list[Row]:
        with told():
            return self._connection.execute(statement, given).fetchall()
