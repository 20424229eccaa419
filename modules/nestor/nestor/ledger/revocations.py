"""The file of revocations beside the ledger: a ledger restored from a backup must not forget one.

One line each: when, SHA-256 of the certificate, serial number, reason. It is appended to before the ledger is changed,
and is no part of a backup. An unfinished last line was never acknowledged and is cut off; other damage is an error.
"""

import asyncio
import fcntl
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from nestor.disk import sync
from nestor.errors import CannotIssue, MaterialError

FILE = "revocations.log"

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([0-9a-f]{64}) ([0-9a-f]+) (.*)")


@dataclass(frozen=True, slots=True)
class Revocation:
    """One line of the file."""

    at: datetime
    sha256: bytes
    serial: int
    reason: str

    def __str__(self) -> str:
        """The line, without its end."""
        return f"{self.at.astimezone(UTC):{_FORM}} {self.sha256.hex()} {self.serial:x} {' '.join(self.reason.split())}"


def append_revocation(path: Path, *revocations: Revocation) -> None:
    """Add lines, and wait for the disk. Raises CannotIssue."""
    lines = "".join(f"{revocation}\n" for revocation in revocations)
    try:
        fresh = not path.exists()
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(_finished(file))
            file.write(lines.encode(errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync(path.parent)
    except OSError as error:
        raise CannotIssue(
            f"The revocation cannot be written to {path}: {error.strerror}.", "Mend that, then revoke again."
        ) from error


def merge_revocations(path: Path, revocations: Iterable[Revocation]) -> int:
    """Add the lines of certificates that the file does not have yet; how many. Raises CannotIssue or MaterialError."""
    known = {line.sha256 for line in read_revocations(path)}
    missing = {line.sha256: line for line in revocations if line.sha256 not in known}
    if missing:
        append_revocation(path, *missing.values())
    return len(missing)


def read_revocations(path: Path) -> Iterator[Revocation]:
    """The lines of the file; none where there is no file. Raises MaterialError for a line that does not hold."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise MaterialError(f"{path} cannot be read: {error.strerror}.", "Check owner and mode.") from error
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            yield _read(line.decode())
        except ValueError:
            hint = "Restore the file; without that line a revoked certificate might count again."
            raise MaterialError(f"Line {number} of {path} is no revocation.", hint) from None


@dataclass(frozen=True, slots=True)
class Denied:
    """The certificates of the file, by digest and by serial number."""

    certificates: frozenset[bytes]
    by_serial: Mapping[int, Sequence[bytes]]


class DenyList:
    """The file as it is at each moment; it is read only where it has become another one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._denied = Denied(frozenset(), {})

    async def denied(self) -> Denied:
        """What it says. Raises CannotIssue where it cannot be read."""
        looks = self._looks()  # before it is read: what is added meanwhile is read the next time
        if looks != self._seen:
            self._denied = await asyncio.to_thread(self._read)
            self._seen = looks
        return self._denied

    def _looks(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotIssue(f"{self._path} cannot be read: {error.strerror}.", "Check owner and mode.") from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> Denied:
        by_serial = defaultdict[int, list[bytes]](list)
        try:
            for line in read_revocations(self._path):
                by_serial[line.serial].append(line.sha256)
        except MaterialError as damage:
            raise CannotIssue(damage.sentence, damage.hint) from damage
        return Denied(frozenset(chain.from_iterable(by_serial.values())), dict(by_serial))


def _read(line: str) -> Revocation:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError
    at = datetime.strptime(match[1], _FORM).replace(tzinfo=UTC)
    return Revocation(at, bytes.fromhex(match[2]), int(match[3], 16), match[4])


def _finished(file: BinaryIO) -> int:
    """Where the last finished line ends."""
    file.seek(0)
    return file.read().rfind(b"\n") + 1
