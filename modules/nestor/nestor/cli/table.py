"""Lists that people bring as CSV: a heading, then a row for each, as spreadsheets write them (RFC 4180).

Commas or semicolons, UTF-8 with or without a mark at its beginning. What is wrong with one row is told with its line;
what is wrong with the whole file is an error.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nestor.cli.est_files import read_file
from nestor.errors import MaterialError


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the number of its line, its cells by column without spaces around, and what is wrong with its form."""

    number: int
    cells: Mapping[str, str]
    fault: str = ""

    def words(self, column: str) -> tuple[str, ...]:
        """A cell with several values, commas between them."""
        return tuple(word.strip() for word in self.cells.get(column, "").split(",") if word.strip())


def read_table(place: Path, *, needed: str, known: Sequence[str]) -> list[Line]:
    """The rows of a file. Raises MaterialError for one without its heading, or that is no CSV."""
    try:
        text = read_file(place, "list").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MaterialError(f"{place} is not UTF-8 text.", "Save it as CSV UTF-8.") from None
    heading, _, _ = text.partition("\n")
    delimiter = ";" if ";" in heading and "," not in heading else ","
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        columns = _columns(place, next(reader, []), needed, (needed, *known))
        return [_line(reader.line_num, columns, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise MaterialError(f"Line {reader.line_num} of {place} is not CSV: {error}.", "Mend its quotes.") from None


def _columns(place: Path, heading: Sequence[str], needed: str, known: Sequence[str]) -> list[str]:
    spelled = {column.casefold(): column for column in known}
    columns = [spelled.get(cell.strip().casefold(), "") for cell in heading]
    odd = [cell.strip() for cell, column in zip(heading, columns, strict=True) if not column]
    if needed not in columns or odd or len(set(columns)) < len(columns):
        what = f"has a column {odd[0]!r}" if odd else f"has no column {needed!r}, or one twice"
        raise MaterialError(
            f"The heading of {place} {what}.", f"The first line names the columns; known are {', '.join(known)}."
        )
    return columns


def _line(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    found = {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}
    if len(cells) != len(columns):
        return Line(number, found, f"The heading has {len(columns)} columns, this row {len(cells)}.")
    return Line(number, found)
