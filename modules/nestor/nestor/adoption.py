"""An operator's word about certificates that the ledger does not know (design D23), as a noun of its own."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Adoption:
    """An operator's word that certificates which the ledger does not know may be taken into it (design D23).

    It is about certificates issued from `since` to `until`, and good until `ends_at`, or until it was ended before.
    `profile` is what a certificate becomes that several profiles could have made. `denied` are device ids, serial
    numbers and thumbprints that are never adopted, by this word or another.
    """

    opened_at: datetime
    since: datetime
    until: datetime
    ends_at: datetime
    profile: str | None = None
    denied: frozenset[str] = frozenset()
    ended_at: datetime | None = None
    id: int = 0
