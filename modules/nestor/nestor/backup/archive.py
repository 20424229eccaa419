"""The inside of a backup: a tar.gz of one directory.

    nestor-backup/manifest.json
    nestor-backup/data/...         what belongs into the data directory, at its place there
    nestor-backup/elsewhere/...    what lived at another place: the configuration, files that it names

Each file is held against the manifest on its way out.
"""

import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from nestor.backup.manifest import Manifest, decode_manifest
from nestor.errors import MaterialError

DATA = "data"
ELSEWHERE = "elsewhere"

_TOP = "nestor-backup"
_MANIFEST = "manifest.json"
_COMPRESSION = 6
_LARGEST_MANIFEST = 1 << 20


def pack(manifest: Manifest, files: Mapping[str, bytes | Path]) -> bytes:
    """The archive of files by their paths in it: their content, or where a large one is. Raises OSError."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=_COMPRESSION) as archive:
        for path, content in ((_MANIFEST, manifest.encode()), *files.items()):
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
                archive.addfile(_entry(path, size, manifest), file)
    return buffer.getvalue()


def unpack(content: bytes, place: Path) -> Manifest:
    """Write the files of an archive below a directory, and answer its manifest.

    Raises MaterialError for an archive that is not what its manifest says, or cannot be written.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            members = {_inner(member): member for member in archive.getmembers()}
            manifest = decode_manifest(_content(archive, members.get(_MANIFEST)).read(_LARGEST_MANIFEST))
            _check_names(manifest, members)
            for listed in manifest.members:
                _write(_content(archive, members[listed.path]), place / listed.path)
                if digest_of(place / listed.path) != listed.sha256:
                    raise _wrong(f"{listed.path} is not what the manifest says")
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise _wrong("it is damaged") from error
    except OSError as error:
        raise _wrong(error.strerror or "it is damaged") from error
    return manifest


def digest_of(content: bytes | Path) -> str:
    """The SHA-256 of a content, or of what a file holds, in hexadecimal. Raises OSError."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(path: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(f"{_TOP}/{path}")
    entry.size, entry.mode, entry.mtime = size, 0o600, int(manifest.made.timestamp())
    return entry


def _inner(member: tarfile.TarInfo) -> str:
    """The path of a plain file below the one directory of the archive."""
    path = PurePosixPath(member.name)
    if not member.isreg() or path.parts[:1] != (_TOP,) or ".." in path.parts:
        raise _wrong(f"{member.name!r} does not belong there")
    return str(path.relative_to(_TOP))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo | None) -> IO[bytes]:
    file = archive.extractfile(member) if member else None
    if file is None:
        raise _wrong("it has no manifest")
    return file


def _check_names(manifest: Manifest, members: Iterable[str]) -> None:
    """Exactly the files that the manifest lists, each where a file may go."""
    listed = [member.path for member in manifest.members]
    if {*listed, _MANIFEST} != set(members) or any(path.split("/")[0] not in {DATA, ELSEWHERE} for path in listed):
        raise _wrong("its files are not those that its manifest lists")


def _write(content: IO[bytes], place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)


def _wrong(why: str) -> MaterialError:
    return MaterialError(
        f"The backup cannot be taken apart: {why}.", "Check the disk, or use another copy of the file."
    )
