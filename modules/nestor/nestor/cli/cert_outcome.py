"""How `nestor cert issue` shows what came of it: one certificate in full, of many how many and the first refused."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import typer

from nestor.app.batch import Outcome, Status
from nestor.app.report import MANIFEST, REFUSED_LIST
from nestor.cli.exits import OK, REFUSED
from nestor.cli.output import show_fields, show_json, show_rows
from nestor.cli.places import show_time
from nestor.model import Entry

_SHOWN = 20
"""How many refused rows are shown; all of them are in the list beside the certificates."""


def show_one(outcome: Outcome, *, as_json: bool) -> int:
    """Show one certificate and where it is. Raises what refused it."""
    if outcome.fault is not None:
        raise outcome.fault
    fields = {
        **(_known(outcome.entry) if outcome.entry else {}),
        "status": outcome.status.value,
        "certificate": str(outcome.file),
        "key": str(outcome.key or ""),
    }
    show_fields({name: value for name, value in fields.items() if value}, as_json=as_json)
    return OK


@dataclass
class Tally:
    """How many rows came to what end, and the first that were refused."""

    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    refused: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many rows there were."""
        return sum(self.counts.values())

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.counts[outcome.status] += 1
        if outcome.fault is not None and len(self.refused) < _SHOWN:
            self.refused.append((outcome.where, outcome.name, outcome.fault.text))

    def show(self, directory: Path, *, as_json: bool) -> int:
        """Show what came out, and say how the command ends."""
        some = bool(self.refused)
        files = {"manifest": directory / MANIFEST} | ({"refused": directory / REFUSED_LIST} if some else {})
        if as_json:
            show_json({"counts": self.counts, "files": {what: str(place) for what, place in files.items()}})
        else:
            if some:
                show_rows(("where", "name", "why"), self.refused)
            say(", ".join(f"{count:,} {status}" for status, count in self.counts.items()) + ".")
            say(f"What became of each row: {' and '.join(map(str, files.values()))}")
        return REFUSED if some else OK


def say(sentence: str) -> None:
    """Tell a person."""
    typer.echo(sentence, err=True)


def _known(entry: Entry) -> dict[str, str]:
    return {
        "subject": entry.subject,
        "profile": entry.profile,
        "serial": f"{entry.serial:x}",
        "SHA-1": hashlib.sha1(entry.der, usedforsecurity=False).hexdigest().upper(),
        "SHA-256": entry.sha256.hex().upper(),
        "valid until": show_time(entry.not_after),
    }
