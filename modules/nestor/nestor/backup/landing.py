"""How a new state takes the place of an old one in a data directory: one of the two stands there, whatever interrupts.

The new state is put together beside the old one and made durable; one rename then decides that it counts. After that
old things are moved aside, never deleted, and new ones into their places. Whoever finds a decision that was not carried
out carries it out first.

    .restoring/new/...      the new state
    .restoring/plan.json    the decision: what goes where
    replaced-<time>/...     what stood there before
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from nestor.disk import sync
from nestor.errors import MaterialError

_STAGE = ".restoring"
_NEW = "new"
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Move:
    """A file or directory of the new state, and its place; `companions` are old ones that would contradict it there."""

    source: str
    place: str
    companions: Sequence[str] = ()


class Landing:
    """The new state of one data directory on its way into its place. Every method may raise MaterialError."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stage = data / _STAGE

    @property
    def new(self) -> Path:
        """Where the new state is put together."""
        return self._stage / _NEW

    @property
    def is_decided(self) -> bool:
        """Whether a new state counts already, and has yet to be moved into its place."""
        return (self._stage / _PLAN).exists()

    def begin(self) -> None:
        """Make room for a new state; one that was never decided is dropped."""
        with _told(self._data):
            shutil.rmtree(self._stage, ignore_errors=True)
            self.new.mkdir(mode=0o700, parents=True)

    def abandon(self) -> None:
        """Drop a new state that was not decided: nothing has changed."""
        shutil.rmtree(self._stage, ignore_errors=True)

    def decide(self, moves: Iterable[Move], aside: str) -> None:
        """Decide that the new state counts; what it replaces will go to the directory `aside`."""
        plan = {"aside": aside, "moves": [asdict(move) for move in moves]}
        fresh = self._stage / f"{_PLAN}.new"
        with _told(self._data):
            _settle(self.new, self._data.stat())
            fresh.write_text(json.dumps(plan), "utf-8")
            sync(fresh)
            fresh.rename(self._stage / _PLAN)
            sync(self._stage)
            sync(self._data)

    def carry_out(self) -> Sequence[str]:
        """Move everything to its place, and answer what was moved aside. An interruption is no harm: do it again."""
        with _told(self._data):
            plan = json.loads((self._stage / _PLAN).read_text("utf-8"))
            aside = self._data / plan["aside"]
            replaced = [old for move in plan["moves"] for old in self._carry(Move(**move), aside)]
            sync(self._data)
            (self._stage / _PLAN).unlink()
            shutil.rmtree(self._stage)
            sync(self._data)
        return replaced

    def _carry(self, move: Move, aside: Path) -> Iterator[str]:
        new, place = self.new / move.source, self._data / move.place
        if not new.exists():
            return  # it is there already: an earlier try had come so far
        for old in (*(self._data / name for name in move.companions), place):
            if old.exists():
                _move_aside(old, aside / old.relative_to(self._data))
                yield str(old.relative_to(self._data))
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.rename(place)
        sync(place.parent)


@contextmanager
def _told(data: Path) -> Iterator[None]:
    """Turn what goes wrong on the disk into a sentence."""
    try:
        yield
    except OSError as error:
        raise MaterialError(
            f"The new state of {data} cannot be put into its place: {error.strerror}.", "Check space, owner and mode."
        ) from error


def _settle(place: Path, owner: os.stat_result) -> None:
    """Wait until everything below a directory is on the disk; root gives it to the owner of the data directory."""
    for path in (place, *place.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
        sync(path)


def _move_aside(old: Path, aside: Path) -> None:
    aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 0
    while (place := aside.with_name(f"{aside.name}.{number}" if number else aside.name)).exists():
        number += 1
    old.rename(place)
    sync(place.parent)
