"""What it takes for something to be on the disk: one call, wherever a file or a name must outlive a power cut."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a directory, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
