"""The data directory: made where there is none, for its owner alone."""

from pathlib import Path

from nestor.errors import MaterialError


def make_directory(data: Path) -> None:
    """Make a data directory that only its owner reads, where there is none. Raises MaterialError."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MaterialError(f"The data directory {data} cannot be made: {error.strerror}.", "Check --data.") from error
