"""One at a time: who serves from a data directory, or puts another in its place, has it to itself.

A lock of the kernel on a file says so; it goes with its process, however that ends. The file tells who has it.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nestor.errors import MaterialError, Unavailable

FILE = "nestor.lock"

_LONGEST_NOTE = 200


@contextmanager
def occupied(data: Path, doing: str) -> Iterator[None]:
    """Have a data directory to oneself, as long as the context lasts; `doing` tells others what for.

    Raises Unavailable where somebody else has it, MaterialError where its disk takes no lock.
    """
    try:
        descriptor = _open(data / FILE)
        try:
            _take(descriptor, data)
            _sign(descriptor, doing)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        hint = "Check owner, mode and disk of the directory."
        raise MaterialError(f"The data directory {data} cannot be locked: {error.strerror}.", hint) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
    # A read-only disk: a file of earlier days can be locked all the same.
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _take(descriptor: int, data: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(descriptor, _LONGEST_NOTE, 0).decode(errors="replace").strip()
        raise Unavailable(
            f"The data directory {data} is in use by {who or 'another process'}.",
            "End that one, or choose another directory with --data.",
        ) from None


def _sign(descriptor: int, doing: str) -> None:
    """Leave word who has it; where the disk is full or read-only, the lock alone has to do."""
    note = f"{doing} (process {os.getpid()} on {socket.gethostname()})\n".encode()
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note[:_LONGEST_NOTE], 0)
    except OSError:
        return
