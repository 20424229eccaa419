"""Files that are on the disk when these functions return, and new files that appear whole or not at all."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from nestor.disk import sync
from nestor.errors import MaterialError

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
"""What a disk answers that knows one name for each file only, as memory sticks do."""


def write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; one that is there already stays. Raises MaterialError."""
    _write(path, content, _name_it)


def write_over(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, in the place of one that may be there. Raises MaterialError."""
    _write(path, content, Path.replace)


def _write(path: Path, content: bytes, name_it: Callable[[Path, Path], object]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        name_it(beside, path)
        sync(path.parent)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError as error:
        raise MaterialError(
            f"{path} cannot be written: {error.strerror}.", "Check directory, mode and space."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def check_new(path: Path) -> None:
    """Raise MaterialError where there is a file already, before much work is done for one."""
    if path.exists():
        raise _is_there(path)


def _name_it(beside: Path, path: Path) -> None:
    """Give a file its name, unless another has it."""
    try:
        os.link(beside, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        check_new(path)
        beside.rename(path)


def _is_there(path: Path) -> MaterialError:
    return MaterialError(f"{path} is there already; a backup never overwrites one.", "Choose another name.")
