"""Where the last good wish is kept: one file in the data directory, replaced whole."""

from pathlib import Path

from nestor.backup.durable import write_over
from nestor.document import read_bounded
from nestor.errors import MaterialError
from nestor.twin.kept import FILE, MOST_BYTES, Kept, read_kept, write_kept


def load(data: Path) -> Kept | None:
    """The last good wish, None where there never was one. Raises MaterialError for a file that cannot be used."""
    try:
        content = read_bounded(data / FILE, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MaterialError(
            f"The kept settings of the module twin, {data / FILE}, cannot be read: {error.strerror}.",
            "Check owner and mode.",
        ) from error
    return read_kept(content)


def save(data: Path, kept: Kept) -> None:
    """Keep a wish; it is on the disk when this returns. Raises MaterialError."""
    write_over(data / FILE, write_kept(kept))
