"""The data directory: made where there is none, for its owner alone."""

import stat
from pathlib import Path

from nestor.errors import MaterialError


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
