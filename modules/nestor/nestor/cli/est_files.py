"""The files of `nestor est`: certificates for everybody, keys for their owner alone; never overwritten unasked.

A file appears whole or not at all. Of a pair, both are written beside their places before the first one is moved.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nestor.errors import MaterialError

if TYPE_CHECKING:
    from cryptography import x509

_PUBLIC, _PRIVATE = 0o644, 0o600


def check_free(*places: Path | None, force: bool) -> None:
    """Refuse to overwrite a file, before anybody is asked for anything. Raises MaterialError."""
    for place in places:
        if place is not None and place.exists() and not force:
            raise MaterialError(f"{place} is there already.", "Choose another name, or overwrite it with --force.")
        if place is not None and not place.absolute().parent.is_dir():
            raise MaterialError(f"{place.absolute().parent} is not a directory.", "Make it first.")


def write_files(contents: Mapping[Path, bytes], private: Path | None = None) -> None:
    """Write files; `private` is for its owner alone. Raises MaterialError, and then nothing was replaced."""
    beside = {place: place.with_name(f".{place.name}.{os.getpid()}") for place in contents}
    try:
        for place, content in contents.items():
            _write(beside[place], content, _PRIVATE if place == private else _PUBLIC, owner=place)
        for place in contents:
            beside[place].replace(place)
    except OSError as error:
        names = " and ".join(map(str, contents))
        raise MaterialError(f"{names} cannot be written: {error.strerror}.", "Check directory and owner.") from error
    finally:
        for leftover in beside.values():
            leftover.unlink(missing_ok=True)


def pem_of(certificates: "Sequence[x509.Certificate]") -> bytes:
    """Certificates as PEM, one behind the other."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 -- only now

    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def read_file(place: Path, what: str) -> bytes:
    """A file whole. Raises MaterialError, which says what it was to be."""
    try:
        return place.read_bytes()
    except OSError as error:
        raise MaterialError(f"The {what} {place} cannot be read: {error.strerror}.", "Check path and mode.") from error


def _write(place: Path, content: bytes, mode: int, *, owner: Path) -> None:
    """Write a new file; it belongs to whoever the file belongs to that it will replace."""
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if owner.exists():
            before = owner.stat()
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
