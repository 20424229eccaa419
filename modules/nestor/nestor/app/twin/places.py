"""Where the files are that the module twin may name: in the data directory, and in those that the host names.

A place is judged as it is written and as it is on the disk: no step upwards, and no link that leads out. What Nestor
keeps of its own CA is not among them.
"""

import os
from pathlib import Path

from nestor.app.twin.widening import MayName
from nestor.ca.home import CAHome
from nestor.document import HASH, Reference
from nestor.twin.settings import TwinSettings

_OPEN_VARIABLES = "NESTOR_SECRET_"


def open_places(data: Path, twin: TwinSettings) -> MayName:
    """What the host lets its twin name."""
    roots = (data, *map(Path, twin.directories))
    closed = CAHome(data).certificates_path.parent

    def may_name(reference: Reference) -> bool:
        if reference.kind == HASH:
            return True
        if reference.kind == "env":
            return reference.place.startswith(_OPEN_VARIABLES)
        return _is_open(data / reference.place, roots, closed)

    return may_name


def _is_open(place: Path, roots: tuple[Path, ...], closed: Path) -> bool:
    if ".." in place.parts or not str(place).isprintable():
        return False
    real = _real(place)
    within = any(place.is_relative_to(root) and real.is_relative_to(_real(root)) for root in roots)
    return within and not _is_endless(real) and not real.is_relative_to(_real(closed))


def _is_endless(place: Path) -> bool:
    """Whether it is something else than a file: a pipe would hold up everybody."""
    try:
        return place.exists() and not place.is_file()
    except OSError:
        return False  # no file can have such a name: whoever reads it says so


def _real(place: Path) -> Path:
    return Path(os.path.realpath(place))
