"""What a data directory lies on, and whether a ledger is safe there: told by the kernel's list of mounts. Pure.

SQLite needs a disk that keeps what it says it has kept, and locks that every process sees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_LAYERS = {"overlay", "aufs", "fuse-overlayfs"}
_MEMORY = {"tmpfs", "ramfs"}
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "vboxsf", "ceph", "glusterfs", "afs"}


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a file system hangs, and of what kind it is."""

    place: PurePosixPath
    kind: str


def mount_of(place: PurePosixPath, mounts: str) -> Mount | None:
    """The mount that a resolved place lies on, by the text of /proc/self/mountinfo (proc(5)); the last one counts."""
    found = [mount for mount in _read(mounts) if place.is_relative_to(mount.place)]
    deepest = max((len(mount.place.parts) for mount in found), default=0)
    return next((mount for mount in reversed(found) if len(mount.place.parts) == deepest), None)


def doubt_of(place: PurePosixPath, mount: Mount) -> str | None:
    """What is wrong with keeping a ledger there, as a sentence; None where nothing is."""
    if mount.kind in _LAYERS:
        return (
            f"{place} is on no volume: CA and ledger are lost with this container, at its next update. Mount one there "
            "(HostConfig.Binds in the createOptions)."
        )
    if mount.kind in _MEMORY:
        return f"{place} is in memory ({mount.kind}): CA and ledger are lost at the next start. Mount a disk there."
    if mount.kind in _REMOTE or mount.kind.startswith("fuse."):
        return (
            f"{place} is on {mount.kind}, where locks and writes of a database cannot be trusted: the ledger may be "
            "damaged. Mount a local disk there."
        )
    return None


def _read(mounts: str) -> Iterator[Mount]:
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        words = before.split()
        if dash and len(words) > 4 and after:  # noqa: PLR2004 -- the fifth is the mount point
            yield Mount(PurePosixPath(_unescaped(words[4])), after.split()[0])


def _unescaped(word: str) -> str:
    for code, letter in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        word = word.replace(f"\\{code}", letter)
    return word
