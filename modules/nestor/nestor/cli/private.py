"""Files that hold a secret for a person: new, whole, and for their owner only."""

import os
from pathlib import Path

from nestor.errors import MaterialError


def write_private(place: Path, text: str) -> None:
    """Write a new file, mode 0600, and wait for the disk. Raises MaterialError, also where there is a file already."""
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _cannot_make(place, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        place.unlink()
        raise _cannot_make(place, error) from error


def _cannot_make(place: Path, error: OSError) -> MaterialError:
    return MaterialError(f"{place} cannot be made: {error.strerror}.", "Choose a new file, where there is space.")
