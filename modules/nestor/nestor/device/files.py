"""A look at the files of a device: the one file of this room that touches a disk. It judges and changes nothing.

`root` is where the device's files lie: `/` on the device itself, a directory for the tree of another machine.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nestor.device.places import CERTIFICATE_READER, KEY_READER, Place

_LARGEST = 1_048_576


@dataclass(frozen=True, slots=True)
class User:
    """A user of the device: its number, and those of its groups."""

    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Step:
    """A directory on the way to a file, or the file: whose it is, and its mode."""

    path: str
    uid: int
    gid: int
    mode: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was found: every step from the top, as far as there are any; its content, or why there is none."""

    place: Place
    steps: tuple[Step, ...]
    content: bytes | None = field(default=None, repr=False)
    trouble: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the file itself was found."""
        return bool(self.steps) and self.steps[-1].path == self.place.path


@dataclass(frozen=True, slots=True)
class Disk:
    """What was seen: the users that read files on a device, by name, and the files in the order asked for."""

    users: Mapping[str, User]
    files: tuple[Seen, ...]

    def content_of(self, path: str) -> bytes | None:
        """The content of a file; None where it was not looked at, is not there, or cannot be read."""
        return next((seen.content for seen in self.files if seen.place.path == path), None)


def look(places: Iterable[Place], root: Path) -> Disk:
    """Look at files below `root`."""
    return Disk(find_users(root), tuple(_look_at(place, root) for place in places))


def find_users(root: Path) -> Mapping[str, User]:
    """The users that read files on a device, as far as the machine below `root` has them."""
    lines = [line.split(":") for line in _lines(root / "etc/passwd")]
    groups = [line.split(":") for line in _lines(root / "etc/group")]
    return {
        name: User(int(uid), frozenset({int(gid), *_groups_of(name, groups)}))
        for name, _, uid, gid, *_ in (line for line in lines if len(line) > 3)  # noqa: PLR2004 -- name, x, uid, gid
        if name in {CERTIFICATE_READER, KEY_READER} and uid.isdigit() and gid.isdigit()
    }


def step_of(path: Path) -> Step | None:
    """Whose a file is, and its mode; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Step(str(path), found.st_uid, found.st_gid, found.st_mode)


def _look_at(place: Place, root: Path) -> Seen:
    steps: list[Step] = []
    try:
        for path in _down_to(PurePosixPath(place.path)):
            found = (root / path.relative_to("/")).stat()
            steps.append(Step(str(path), found.st_uid, found.st_gid, found.st_mode))
        return Seen(place, tuple(steps), _read(root / place.path.lstrip("/")))
    except OSError as error:
        return Seen(place, tuple(steps), None, error.strerror or type(error).__name__)


def _read(path: Path) -> bytes:
    """The content; a device or a pipe in place of a file is not waited for."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        return file.read(_LARGEST)


def _down_to(path: PurePosixPath) -> Iterator[PurePosixPath]:
    yield from reversed(path.parents)
    yield path


def _groups_of(name: str, groups: Iterable[list[str]]) -> Iterator[int]:
    for line in groups:
        if len(line) > 3 and line[2].isdigit() and name in line[3].split(","):  # noqa: PLR2004 -- name, x, gid, members
            yield int(line[2])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
