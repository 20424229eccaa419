"""A file that may change while we run: read whole at the start, read again when it changes.

At the start a broken file is an error. Later the last good content stays in force, and the trouble is told once per
change.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from nestor.errors import MaterialError
from nestor.events import Trouble

Content = TypeVar("Content")
_Mark = tuple[int, int, int] | None


class Watched(Generic[Content]):
    """The content of a file as of now; asking costs one `stat`."""

    def __init__(self, path: Path, read: Callable[[Path], Content], tell: Callable[[Trouble], None]) -> None:
        self._path = path
        self._read = read
        self._tell = tell
        self._mark = _mark(path)
        self._content = read(path)

    @property
    def content(self) -> Content:
        """What the file says, or said when it was last good."""
        mark = _mark(self._path)
        if mark != self._mark:
            self._mark = mark
            self._reload()
        return self._content

    def _reload(self) -> None:
        try:
            self._content = self._read(self._path)
        except MaterialError as error:
            self._tell(Trouble("access", f"{error.text} What it said before stays in force."))


def _mark(path: Path) -> _Mark:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
