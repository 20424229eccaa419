"""The data directory: made where there is none, for its owner alone; told from one that nobody ever served from."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nestor.app.volume import doubt_of, mount_of
from nestor.ca.home import CAHome
from nestor.errors import MaterialError
from nestor.ledger import opening, revocations

_MOUNTS = Path("/proc/self/mountinfo")
_TRACES = (opening.FILE, f"{opening.FILE}-wal", revocations.FILE)


def make_directory(data: Path) -> None:
    """Make a data directory that only its owner reads, where there is none. Raises MaterialError."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The data directory {data} cannot be made: {error.strerror}.", "Check --data.") from error


def check_open(data: Path) -> None:
    """Raise MaterialError where a server may not even look into its data directory: it could not tell what is there."""
    if not os.access(data, os.R_OK | os.X_OK, effective_ids=True):
        raise MaterialError(*_not_ours(data.absolute(), data.absolute()))


def warnings_of(data: Path) -> Sequence[str]:
    """What is wrong with a data directory, each as a sentence: its owner, who else may write, what it lies on."""
    data = data.absolute()
    return [sentence for sentence in (_of_owner(data), _of_mode(data), _of_volume(data)) if sentence is not None]


def _of_owner(data: Path) -> str | None:
    """Whether it belongs to another user, as a volume does that was made on the host by root."""
    closed = [place for place in (data, *_kept(data)) if _is_closed(place)]
    if not closed or os.statvfs(data).f_flag & os.ST_RDONLY:
        return None
    return " ".join(_not_ours(closed[0], data))


def _not_ours(place: Path, data: Path) -> tuple[str, str]:
    """What is wrong with the owner of a place in the data directory, and what to do on the host."""
    user, group = os.geteuid(), os.getegid()
    fault = (
        f"{place} belongs to user {place.stat().st_uid}, and this server runs as user {user}, who may not write there."
    )
    mount = f"what is mounted at {data} (docker inspect CONTAINER tells it under Mounts)"
    return fault, f"On the host: sudo chown -R {user}:{group} DIRECTORY, where DIRECTORY is {mount}."


def _kept(data: Path) -> Sequence[Path]:
    try:
        return [data / name for name in (*_TRACES, "ca") if (data / name).exists()]
    except OSError:
        return []


def _is_closed(place: Path) -> bool:
    return not os.access(place, os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0), effective_ids=True)


def _of_mode(data: Path) -> str | None:
    mode = stat.S_IMODE(data.stat().st_mode)
    if not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return None
    return f"Others than its owner may write into {data} (mode {mode:04o}), and so take the CA over: chmod 700."


def _of_volume(data: Path) -> str | None:
    try:
        place = data.resolve()
        mount = mount_of(PurePosixPath(place), _MOUNTS.read_text("utf-8", errors="replace"))
    except OSError:
        return None
    return None if mount is None else doubt_of(PurePosixPath(place), mount)


def check_directory(data: Path) -> None:
    """Look for anything that a CA or a ledger leaves. Raises MaterialError where there is none, or nobody may look.

    So a mistyped directory is not taken for one that lost its ledger.
    """
    try:
        present = {place.name for place in data.iterdir()} if data.is_dir() else set()
        served = CAHome(data).was_made or not present.isdisjoint(_TRACES)
    except OSError as error:
        hint = "Run this as the user that Nestor runs as."
        raise MaterialError(f"The data directory {data} cannot be read: {error.strerror}.", hint) from error
    if not served:
        raise MaterialError(f"There is no Nestor data in {data}: no CA, no ledger.", "Check --data.")
