"""The data directory: made where there is none, for its owner alone; told from one that nobody ever served from."""

import os
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


def check_directory(data: Path) -> None:
    """Look for anything that a CA or a ledger leaves. Raises MaterialError where there is none, or nobody may look.

    So a mistyped directory is not taken for one that lost its ledger.
    """
    if data.is_dir() and not os.access(data, os.R_OK | os.X_OK):
        raise MaterialError(f"The data directory {data} cannot be read.", "Run this as the user that Nestor runs as.")
    if not CAHome(data).was_made and not any((data / trace).exists() for trace in _TRACES):
        raise MaterialError(f"There is no Nestor data in {data}: no CA, no ledger.", "Check --data.")
