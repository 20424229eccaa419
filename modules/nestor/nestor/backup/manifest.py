"""What a backup says of itself: which CA, which ledger, when, and every file in it with its digest."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from nestor.errors import MaterialError


class Part(StrEnum):
    """What a data directory consists of, as an operator may want it back."""

    CA = "ca"
    LEDGER = "ledger"
    USERS = "users"
    FILES = "files"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Member(_Record):
    """One file of the archive.

    `part` is what it belongs to in the data directory; None for a file that lived elsewhere, at `origin`.
    """

    path: str
    sha256: str
    part: Part | None = None
    origin: str | None = None


class CAFacts(_Record):
    """Whose certificates the ledger holds. Without `key` its private key is not in the archive."""

    fingerprint: str
    subject: str
    ends: datetime
    key: bool


class LedgerFacts(_Record):
    """What the ledger held: how much, and the row that was written last (its serial number in hexadecimal)."""

    certificates: int
    revoked: int
    newest_serial: str | None
    newest_at: datetime | None


class Manifest(_Record):
    """What a backup says of itself.

    `data` is where the data directory was. `configuration` is which of the members that is; `left_out` names files that
    it needs and that are not here.
    """

    format: Literal[1] = 1  # of the archive; a Nestor that does not know another one says so
    version: str
    made: datetime
    data: str
    ca: CAFacts
    ledger: LedgerFacts
    members: tuple[Member, ...]
    configuration: str | None = None
    left_out: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The manifest as JSON."""
        return self.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def decode_manifest(content: bytes) -> Manifest:
    """Read a manifest. Raises MaterialError for one that is not understood."""
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        hint = "It may come from a newer Nestor; restore it with that version."
        raise MaterialError(f"The manifest of the backup is not understood: {place or 'its form'}.", hint) from None
