"""A data directory from a backup: everything is checked before anything changes, and nothing that is there is deleted.

Never another CA in the place of one, never a ledger that has forgotten a revocation which somebody still knows, and
never a state between the old one and the new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nestor.access.users import read_users
from nestor.app.recovered import Recovered, check_ca, prepare_ledger, recover
from nestor.app.replacing import carry_out, new_state
from nestor.app.resealing import is_sealed_ca
from nestor.backup.archive import DATA, ELSEWHERE, digest_of, unpack
from nestor.backup.landing import Landing, Move
from nestor.backup.manifest import Manifest, Part
from nestor.backup.sealing import unseal
from nestor.ca.home import CAHome
from nestor.errors import MaterialError
from nestor.keys.seals import Keyring
from nestor.ledger.opening import FILE as LEDGER
from nestor.ledger.revocations import FILE as REVOCATIONS
from nestor.ledger.revocations import read_revocations
from nestor.ledger.snapshot import authority_of
from nestor.ports import Clock

LOGS = (f"{LEDGER}-wal", f"{LEDGER}-shm")
"""What SQLite keeps beside a ledger; beside another one it would be poison."""

_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be restored, and what may give way.

    Of the parts that are there and differ from the backup's, those in `replace` are moved aside, those in `keep` stay.
    `revocations` are files of revocations from elsewhere.
    """

    backup: Path
    data: Path
    replace: frozenset[Part] = frozenset()
    keep: frozenset[Part] = frozenset()
    revocations: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done: what was put into its place, what stayed, what was moved aside and where to.

    `elsewhere` holds the files that did not live in the data directory. `revoked_since` counts revocations that the
    backup did not know, None where nobody had a file of them. `one_time` are users whose passwords may be spent.
    `sealed` says that the CA's key is, maybe by another host.
    """

    at: datetime
    manifest: Manifest
    put: Sequence[str]
    left: Sequence[str]
    replaced: Sequence[str]
    aside: Path
    elsewhere: Path | None
    revoked_since: int | None
    missing_key: Path | None
    one_time: Sequence[str]
    sealed: bool


async def restore(wish: Wish, passphrase: str, clock: Clock, keyring: Keyring) -> Outcome:
    """Restore a data directory. Raises MaterialError, and changes nothing, where anything does not hold.

    Raises Unavailable while a server has the directory.
    """
    return await restore_opened(wish, unseal(_read(wish.backup), passphrase), clock, keyring)


async def restore_opened(wish: Wish, content: bytes, clock: Clock, keyring: Keyring) -> Outcome:
    """Restore from a backup whose seal has been opened."""
    with new_state(wish.data, "nestor ca restore") as landing:
        recovered = recover(unpack(content, landing.new), landing.new, wish.data, clock)
        await check_ca(recovered, keyring)
        return await _land(wish, landing, recovered)


async def _land(wish: Wish, landing: Landing, recovered: Recovered) -> Outcome:
    """Check what was recovered against itself and against what is there; then let it take its place."""
    at = recovered.clock.now()
    _check_no_other_ca(wish.data, recovered.manifest.ca.fingerprint)
    put, left = _sort_out(wish, recovered)
    files = _files_of_revocations(wish)
    forgotten = await prepare_ledger(recovered, (line for file in files for line in read_revocations(file)))
    aside, elsewhere = f"replaced-{at:{_STAMP}}", f"backup-{recovered.manifest.made:{_STAMP}}"
    moves = [Move(f"{DATA}/{name}", name, LOGS if name == LEDGER else ()) for name in put]
    has_more = not all(_is_same(Path(one.origin), one.sha256) for one in recovered.manifest.members if one.origin)
    missing_key, one_time = recovered.missing_key, _one_time_users(recovered, put)
    sealed = missing_key is None and is_sealed_ca(recovered.source)
    landing.decide([*moves, *([Move(ELSEWHERE, elsewhere)] if has_more else [])], aside)
    replaced = carry_out(wish.data)
    return Outcome(
        at=at,
        manifest=recovered.manifest,
        put=put,
        left=left,
        replaced=replaced,
        aside=wish.data / aside,
        elsewhere=wish.data / elsewhere if has_more else None,
        revoked_since=forgotten if files else None,
        missing_key=missing_key,
        one_time=one_time,
        sealed=sealed,
    )


def _files_of_revocations(wish: Wish) -> Sequence[Path]:
    """The file that is there, and those that are named. Raises MaterialError for a named one that is not there."""
    missing = next((path for path in wish.revocations if not path.exists()), None)
    if missing is not None:
        raise MaterialError(f"There is no file of revocations {missing}.", "Check --revocations.")
    own = wish.data / REVOCATIONS
    return [*([own] if own.exists() else []), *wish.revocations]


def _sort_out(wish: Wish, recovered: Recovered) -> tuple[Sequence[str], Sequence[str]]:
    """The files that go into their places, and those that stay. Raises MaterialError for what nobody decided about."""
    put, left, undecided = [], [], []
    for member in recovered.manifest.members:
        if member.part is None:
            continue
        name = member.path.removeprefix(f"{DATA}/")
        place = wish.data / name
        if not place.exists():
            put.append(name)
        elif member.part in wish.keep or _is_same(place, member.sha256):
            left.append(name)
        elif member.part in wish.replace:
            put.append(name)
        else:
            undecided.append((name, member.part))
    if undecided:
        raise _undecided(wish.data, undecided)
    return put, left


def _is_same(place: Path, sha256: str) -> bool:
    try:
        return digest_of(place) == sha256
    except OSError:
        return False


def _undecided(data: Path, found: Sequence[tuple[str, Part]]) -> MaterialError:
    names = ", ".join(name for name, _ in found)
    parts = dict.fromkeys(part for _, part in found)
    replace = " ".join(f"--replace {part}" for part in parts)
    return MaterialError(
        f"{data} has this already, and not as it is in the backup: {names}.",
        f"{replace} moves it aside and puts the backup's in its place; --keep leaves it.",
    )


def _check_no_other_ca(data: Path, fingerprint: str) -> None:
    """Devices trust the CA that was here; another one in its place would lock every one of them out (design D19)."""
    pinned = authority_of(data / LEDGER) or fingerprint
    others = {*CAHome(data).traces, pinned} - {fingerprint}
    if others:
        raise MaterialError(
            f"{data} belongs to another CA (SHA-256 {min(others)}) than the backup ({fingerprint}).",
            "Restore into an empty directory, or take a backup of the CA that was here.",
        )


def _one_time_users(recovered: Recovered, put: Sequence[str]) -> Sequence[str]:
    """The users with one-time passwords: whether they were used since the backup, nobody knows any more."""
    paths = [member.path for member in recovered.manifest.members if member.part is Part.USERS]
    files = [recovered.place / path for path in paths if path.removeprefix(f"{DATA}/") in put]
    return [user.name for file in files for user in read_users(file).values() if user.one_time]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MaterialError(f"The backup {path} cannot be read: {error.strerror}.", "Check path and mode.") from error
