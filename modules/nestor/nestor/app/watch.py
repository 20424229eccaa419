"""Which files a House was built from, and whether one of them has changed since."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from nestor.document import Reference
from nestor.settings import Settings

Signature = tuple[tuple[Path, int, int], ...]


class Watch:
    """Remembers how the files looked; asking is looking."""

    def __init__(self, files: Sequence[Path], data: Path) -> None:
        self._files = tuple(files)
        self._data = data
        self._seen: Signature = ()

    def changed(self, settings: Settings) -> bool:
        """Whether a file looks different from the last time this was asked."""
        now = tuple(self._look(settings))
        before, self._seen = self._seen, now
        return before not in {(), now}

    def _look(self, settings: Settings) -> Iterator[tuple[Path, int, int]]:
        for path in (*self._files, *named_files(settings, self._data)):
            try:
                found = path.stat()
            except OSError:
                yield path, 0, 0
            else:
                yield path, found.st_mtime_ns, found.st_size


def named_files(value: object, data: Path) -> Iterator[Path]:
    """Every file that a document names."""
    if isinstance(value, Reference):
        if value.kind == "file":
            yield value.path(data)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from named_files(getattr(value, name), data)
    elif isinstance(value, dict):
        for below in value.values():
            yield from named_files(below, data)
