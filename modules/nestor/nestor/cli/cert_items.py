"""What `nestor cert issue` is to issue: one name, the rows of a list, or the requests in a directory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from nestor.app.item import Item
from nestor.cli.table import Line, read_table
from nestor.errors import Malformed, MaterialError, NestorError
from nestor.est.names import general_name

_COLUMNS = ("csr", "profile", "alternativeNames")
_REQUESTS = (".csr", ".pem", ".der")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line asks for: a name with or without its request, or a list, or a directory of requests."""

    name: str | None
    request: Path | None
    alternative_names: tuple[str, ...]
    listed: Path | None
    directory: Path | None

    def check(self, out: Path, *, keys: bool) -> None:
        """Say what the command line lacks, or has too much of; `keys` tells that it says how to make some."""
        if sum(given is not None for given in (self.name, self.listed, self.directory)) != 1:
            raise typer.BadParameter("say what to issue: a NAME, or --from FILE, or --csrs DIR.")
        if self.name is None and (self.request is not None or self.alternative_names):
            raise typer.BadParameter("--csr and --alternative-name go with one NAME; many have them in their rows.")
        if keys and (self.request or self.directory):
            raise typer.BadParameter("--key-type and --key-passphrase are for keys made here; these have requests.")
        if self.directory is not None and self.directory.resolve() == out.resolve():
            raise typer.BadParameter("certificates go to another directory than the requests'.", param_hint="--out")

    def items(self, profile: str) -> list[Item]:
        """The rows. Raises Malformed or MaterialError for what is none."""
        if self.name is not None:
            names = tuple(map(general_name, self.alternative_names))
            return [Item(self.name, profile, self.name, self.request, names)]
        items = _listed(self.listed, profile) if self.listed else _found(self.directory or Path(), profile)
        if not items:
            raise MaterialError(
                f"There is nothing in {self.listed or self.directory} to issue for.", "Is it the right one?"
            )
        return items


def _listed(place: Path, profile: str) -> list[Item]:
    """The rows of a CSV; a request is named relative to it."""
    return [_row(line, place, profile) for line in read_table(place, needed="name", known=_COLUMNS)]


def _found(directory: Path, profile: str) -> list[Item]:
    """Every request in a directory, by the names of the files."""
    try:
        places = sorted(place for place in directory.iterdir() if _is_request(place.name))
    except OSError as error:
        raise MaterialError(f"{directory} cannot be read: {error.strerror}.", "Check path and mode.") from error
    return [Item(place.name, profile, None, place) for place in places]


def _is_request(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(_REQUESTS)


def _row(line: Line, place: Path, profile: str) -> Item:
    where, cells = f"line {line.number}", line.cells
    name, request = cells.get("name", ""), cells.get("csr", "")
    names, faults = [], list(_faults(line, name))
    for text in line.words("alternativeNames"):
        try:
            names.append(general_name(text))
        except Malformed as fault:
            faults.append(fault)
    return Item(
        where=where,
        profile=cells.get("profile") or profile,
        name=name,
        request=place.parent / request if request else None,
        alternative_names=tuple(names),
        fault=faults[0] if faults else None,
    )


def _faults(line: Line, name: str) -> Iterator[NestorError]:
    if line.fault:
        yield MaterialError(line.fault, "Quote a cell that holds the delimiter.")
    if not name:
        yield MaterialError("It has no name.", "Name the device.")
