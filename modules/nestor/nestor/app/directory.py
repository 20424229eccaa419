"""The data directory: made where there is none, for its owner alone; told from one that nobody ever served from."""

import stat
from pathlib import Path

from nestor.ca.home import CAHome
from nestor.errors import MaterialError
from nestor.ledger import opening, revocations

_TRACES = (opening.FILE, f"{opening.FILE}-wal", revocations.FILE)


def make_directory(data: Path) -> None:
    """Make a data directory that only its owner reads, where there is none. Raises MaterialError."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The data directory {data} cannot be made: {error.strerror}.", "Check --data.") from error


def warning_of(data: Path) -> str | None:
    """What is wrong with who may write into a data directory, as a sentence; None where it is its owner's alone."""
    mode = stat.S_IMODE(data.stat().st_mode)
    if not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return None
    return f"Others than its owner may write into {data} (mode {mode:04o}), and so take the CA over: chmod 700."


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
