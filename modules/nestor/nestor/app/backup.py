"""A backup of a data directory, taken beside a running server: CA, ledger, users, the configuration and what it names.

What lives in the data directory is in it; what lives elsewhere only where it has to be: the configuration, the users
file, the CA's certificates, and the CA's key if that is asked for. Revocations have a file of their own outside.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nestor import __version__
from nestor.app.authority import Source, existing_issuer
from nestor.app.layer.identity import FILE as UPSTREAM_IDENTITY
from nestor.app.replacing import check_not_interrupted
from nestor.app.watch import named_files
from nestor.backup.archive import DATA, ELSEWHERE, digest_of, pack
from nestor.backup.durable import check_new, write_new
from nestor.backup.manifest import CAFacts, LedgerFacts, Manifest, Member, Part
from nestor.backup.sealing import check_passphrase, seal
from nestor.ca.home import CAHome
from nestor.ca.issuer import Issuer
from nestor.ca.settings import CASource
from nestor.errors import MaterialError
from nestor.ledger.opening import FILE as LEDGER
from nestor.ledger.snapshot import Snapshot, take_snapshot
from nestor.twin.kept import FILE as TWIN


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be backed up, and where to; `with_key` takes a CA key along that lives outside the data directory."""

    source: Source
    configuration: Path | None
    out: Path
    with_key: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """One file: where it is, where it goes, what it belongs to; and what it holds, read once, or where its copy is."""

    place: Path
    path: str
    part: Part | None
    content: bytes | Path


def check_possible(wish: Wish) -> None:
    """Raise MaterialError before anybody types a passphrase in vain, CannotIssue where nobody opens the CA's key."""
    check_not_interrupted(wish.source.data)
    check_new(wish.out)
    existing_issuer(wish.source)


def make_backup(wish: Wish, passphrase: str) -> Manifest:
    """Write one sealed file. Raises MaterialError where it could not be restored, or cannot be written."""
    check_passphrase(passphrase)
    manifest, content = gather(wish)
    write_new(wish.out, seal(content, passphrase))
    return manifest


def gather(wish: Wish) -> tuple[Manifest, bytes]:
    """What a backup holds, before it is sealed. Raises MaterialError."""
    check_possible(wish)
    issuer, data = existing_issuer(wish.source), wish.source.data
    made = wish.source.clock.now().replace(microsecond=0)  # before the snapshot: what comes later may not be in it
    try:
        # In the data directory, so that no copy that is not sealed gets anywhere else.
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=data) as workshop:
            copy = Path(workshop) / LEDGER
            snapshot = take_snapshot(data, copy)
            _check_same_ca(issuer, snapshot, data)
            pieces = [*_pieces(wish), _Piece(data / LEDGER, f"{DATA}/{LEDGER}", Part.LEDGER, copy)]
            manifest = _manifest(wish, issuer, snapshot, pieces, made)
            return manifest, pack(manifest, {piece.path: piece.content for piece in pieces})
    except OSError as error:
        raise MaterialError(
            f"The backup cannot be put together: {error.filename}: {error.strerror}.", "Check mode and space."
        ) from error


def _check_same_ca(issuer: Issuer, snapshot: Snapshot, data: Path) -> None:
    if snapshot.authority not in {None, issuer.fingerprint}:
        raise MaterialError(
            f"The ledger in {data} belongs to another CA than the one that is there.",
            "Put the two together that belong together, then take the backup.",
        )


def _manifest(wish: Wish, issuer: Issuer, snapshot: Snapshot, pieces: Sequence[_Piece], made: datetime) -> Manifest:
    by_place = {piece.place: piece.path for piece in pieces}
    return Manifest(
        version=__version__,
        made=made,
        data=os.path.normpath(wish.source.data.absolute()),
        ca=CAFacts(
            fingerprint=issuer.fingerprint,
            subject=issuer.certificate.subject.rfc4514_string(),
            ends=issuer.end,
            key=_key_path(wish.source) in by_place,
        ),
        ledger=LedgerFacts(
            certificates=snapshot.certificates,
            revoked=snapshot.revoked,
            newest_serial=None if snapshot.newest_serial is None else f"{snapshot.newest_serial:x}",
            newest_at=snapshot.newest_at,
        ),
        members=tuple(
            Member(
                path=piece.path,
                sha256=digest_of(piece.content),
                part=piece.part,
                origin=None if piece.part else os.path.normpath(piece.place.absolute()),
            )
            for piece in pieces
        ),
        configuration=by_place.get(wish.configuration) if wish.configuration else None,
        left_out=tuple(str(path) for path in _wanted(wish) if path not in by_place),
    )


def _pieces(wish: Wish) -> Iterator[_Piece]:
    """Every file but the ledger, each once."""
    data = wish.source.data
    settings = wish.source.settings
    outside = {wish.configuration, settings.access.users_file.path(data), *_ca_certificates(wish.source)}
    if wish.with_key:
        outside.add(_key_path(wish.source))
    for place in _wanted(wish):
        inside = _below(place, data)
        if inside is not None:
            yield _Piece(place, f"{DATA}/{inside}", _part_of(place, wish.source), place.read_bytes())
        elif place in outside:
            yield _Piece(place, f"{ELSEWHERE}{os.path.normpath(place.absolute())}", None, place.read_bytes())


def _wanted(wish: Wish) -> list[Path]:
    """Every file that a server needs and that is there, but the ledger."""
    source = wish.source
    kept = [CAHome(source.data).mark_path, source.data / TWIN, source.data / UPSTREAM_IDENTITY]
    own = [*kept, *_ca_certificates(source), _key_path(source)]
    named = named_files(source.settings, source.data)
    every = dict.fromkeys([*own, *named, *([wish.configuration] if wish.configuration else [])])
    return [path for path in every if path.exists()]


def _ca_certificates(source: Source) -> list[Path]:
    settings = source.settings.ca
    if settings.source is not CASource.FILE:
        home = CAHome(source.data)
        return [home.certificates_path, *home.former_files]
    return [reference.path(source.data) for reference in (settings.certificate, settings.chain) if reference]


def _key_path(source: Source) -> Path:
    named = source.settings.ca.key
    return named.path(source.data) if named else CAHome(source.data).key_path


def _part_of(place: Path, source: Source) -> Part:
    if place in {CAHome(source.data).mark_path, *_ca_certificates(source), _key_path(source)}:
        return Part.CA
    return Part.USERS if place == source.settings.access.users_file.path(source.data) else Part.FILES


def _below(place: Path, data: Path) -> Path | None:
    """The path within the data directory; None for one outside of it, be it by a link."""
    real = place.resolve()
    if not real.is_relative_to(data.resolve()):
        return None
    as_named = Path(os.path.relpath(place, data))
    return real.relative_to(data.resolve()) if ".." in as_named.parts else as_named
