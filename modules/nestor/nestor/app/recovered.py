"""What came out of a backup, checked as a whole before it may take the place of anything."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nestor.app.authority import Source, existing_issuer
from nestor.app.seals import PATIENT, ready
from nestor.backup.archive import DATA
from nestor.backup.manifest import Manifest
from nestor.ca.home import CAHome
from nestor.ca.issuer import fingerprint_of
from nestor.ca.loading import read_certificates
from nestor.ca.settings import CASettings, CASource
from nestor.document import Reference
from nestor.errors import MaterialError, SettingsError
from nestor.keys.seals import Keyring
from nestor.ledger.listing import Selection
from nestor.ledger.opening import FILE as LEDGER
from nestor.ledger.opening import open_ledger
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import Revocation, merge_revocations, read_revocations
from nestor.ledger.snapshot import check_whole
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, State
from nestor.ports import Clock
from nestor.settings import Settings, judge, read_document

_PAGE = 500
_OTHER = "Use another copy of the backup, or an older one."


@dataclass(frozen=True, slots=True)
class Recovered:
    """A backup that was taken apart below `place`; `target` is the data directory that it is for."""

    manifest: Manifest
    place: Path
    target: Path
    settings: Settings
    clock: Clock

    @property
    def data(self) -> Path:
        """What belongs into the data directory."""
        return self.place / DATA

    @property
    def missing_key(self) -> Path | None:
        """Where the CA's key has to be brought, that is neither in the backup nor in its place."""
        reference = self.settings.ca.key
        if self.manifest.ca.key or reference is None:
            return None
        path = reference.path(self.target)
        return None if path.exists() else path

    @property
    def source(self) -> Source:
        """The CA, with its files where they are now."""
        settings = self.settings.model_copy(update={"ca": _at_hand(self)})
        return Source(settings, self.data, self.clock, lambda _: None)


def recover(manifest: Manifest, place: Path, target: Path, clock: Clock) -> Recovered:
    """Read the configuration of a backup. Raises SettingsError where this Nestor does not take it."""
    document = read_document(place / manifest.configuration) if manifest.configuration else {}
    try:
        settings = judge(document)
    except SettingsError as error:
        hint = f"Restore it with Nestor {manifest.version}, which made it."
        raise SettingsError(f"The configuration in the backup does not hold.\n{error.sentence}", hint) from error
    return Recovered(manifest, place, target, settings, clock)


async def check_ca(recovered: Recovered, keyring: Keyring) -> None:
    """See that the CA is the one that the manifest names, and that its key fits it.

    Raises MaterialError, or CannotIssue where neither the runtime of this host nor a passphrase opens a sealed key.
    """
    source = recovered.source
    settings = source.settings
    if recovered.missing_key is None:
        fingerprint = existing_issuer(await ready(source, keyring, within=PATIENT, spare=True)).fingerprint
    elif settings.ca.certificate is not None and settings.ca.source is CASource.FILE:
        pem = settings.ca.certificate.read_bytes(recovered.data)
        fingerprint = fingerprint_of(read_certificates(pem, "ca.certificate")[0])
    else:
        fingerprint = fingerprint_of(CAHome(recovered.data).certificates()[0])
    if fingerprint != recovered.manifest.ca.fingerprint:
        raise MaterialError("The CA in the backup is not the one that its manifest names.", _OTHER)


async def prepare_ledger(recovered: Recovered, revocations: Iterable[Revocation]) -> int:
    """Check the ledger from end to end, revoke in it what was revoked since, keep its clock from running backwards.

    Answers how many revocations it had forgotten. Leaves every one that anybody knows in the file beside it. Raises
    MaterialError.
    """
    check_whole(recovered.data / LEDGER)
    merge_revocations(recovered.data / REVOCATIONS, revocations)
    ledger = open_ledger(recovered.settings.ledger, recovered.data, create=False, clock=recovered.clock)
    try:
        if await ledger.pinned_authority() not in {None, recovered.manifest.ca.fingerprint}:
            raise MaterialError("The ledger in the backup belongs to another CA than the one beside it.", _OTHER)
        revoked = await _revoked(ledger)
        merge_revocations(recovered.data / REVOCATIONS, map(_line, revoked))
        seen = (line.at for line in read_revocations(recovered.data / REVOCATIONS))
        await ledger.raise_clock_floor(max((recovered.manifest.made, recovered.clock.now(), *seen)))
    finally:
        await ledger.close()
    return len(revoked) - recovered.manifest.ledger.revoked


async def _revoked(ledger: SQLiteLedger) -> list[Entry]:
    found: list[Entry] = []
    while page := await ledger.page(
        Selection(state=State.REVOKED), after_id=found[-1].id if found else None, limit=_PAGE
    ):
        found.extend(page)
    return found


def _line(entry: Entry) -> Revocation:
    at = entry.revoked_at or entry.issued_at
    return Revocation(at, entry.sha256, entry.serial, entry.revocation_reason or "")


def _at_hand(recovered: Recovered) -> CASettings:
    """The settings of the CA, with its files where they are now: those from elsewhere lie in the archive."""
    moved = {member.origin: recovered.place / member.path for member in recovered.manifest.members if member.origin}
    settings = recovered.settings.ca
    found: dict[str, Reference] = {}
    for name, reference in (("certificate", settings.certificate), ("chain", settings.chain), ("key", settings.key)):
        origin = os.path.normpath(reference.path(Path(recovered.manifest.data))) if reference else None
        if origin in moved:
            found[name] = Reference("file", str(moved[origin].absolute()))
        elif name == "key" and reference is not None and not recovered.manifest.ca.key:
            found[name] = Reference("file", str(reference.path(recovered.target).absolute()))
    return settings.model_copy(update=found)
