"""What became of each row of a batch, as files beside its certificates, for whoever takes them over.

    manifest.csv    a line for every row: its certificate by serial number and thumbprints, or that it was refused
    refused.csv     a line for every row that was refused, with the sentence that says why; none where none was

Written row by row, and put in place when the batch is through; a batch that is started again writes both anew.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nestor.app.batch import Outcome
from nestor.app.delivery import cannot_write
from nestor.model import Entry

MANIFEST, REFUSED_LIST = "manifest.csv", "refused.csv"
_COLUMNS = ("name", "serial", "sha256", "sha1", "notAfter", "file", "status")
_REFUSED_COLUMNS = ("where", "name", "sentence", "hint")
_FORMULA = ("=", "+", "-", "@")


class Report:
    """The two files while a batch runs."""

    def __init__(self, manifest: IO[str], refused: IO[str]) -> None:
        self.any_refused = False
        self._manifest, self._refused = csv.writer(manifest), csv.writer(refused)
        self._manifest.writerow(_COLUMNS)
        self._refused.writerow(_REFUSED_COLUMNS)

    def add(self, outcome: Outcome) -> None:
        """Write what became of one row."""
        fault = outcome.fault
        if fault is not None:
            self.any_refused = True
            self._refused.writerow(_plain((outcome.where, outcome.name, fault.sentence, fault.hint)))
        known = _known(outcome.entry) if outcome.entry else ("", "", "", "")
        file = outcome.file.name if outcome.file else ""
        self._manifest.writerow(_plain((outcome.name, *known, file, outcome.status)))


@contextmanager
def reporting(directory: Path) -> Iterator[Report]:
    """A report that takes its place when what is within is through; else the one of before stays.

    Raises MaterialError.
    """
    manifest, refused = directory / f".{MANIFEST}.new", directory / f".{REFUSED_LIST}.new"
    try:
        with _new(manifest) as first, _new(refused) as second:
            report = Report(first, second)
            yield report
        manifest.replace(directory / MANIFEST)
        if report.any_refused:
            refused.replace(directory / REFUSED_LIST)
        else:
            (directory / REFUSED_LIST).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(directory, error) from error
    finally:
        for leftover in (manifest, refused):
            leftover.unlink(missing_ok=True)


def _new(place: Path) -> IO[str]:
    return place.open("w", encoding="utf-8", newline="")


def _known(entry: Entry) -> tuple[str, ...]:
    """What a certificate is known by; portals call its SHA-1 the thumbprint."""
    sha1 = hashlib.sha1(entry.der, usedforsecurity=False).hexdigest()
    return f"{entry.serial:x}", entry.sha256.hex(), sha1, f"{entry.not_after:%Y-%m-%dT%H:%M:%SZ}"


def _plain(cells: Iterable[str]) -> list[str]:
    """Cells that a spreadsheet does not run: names may come from whoever made a request."""
    return [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
