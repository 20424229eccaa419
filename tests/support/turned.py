"""A server whose wall clock is turned by hand: a file says by how many seconds it is off, and months pass in seconds.

There are two clocks: the world's, which devices show, and the server's, which may be wrong. Either the process reads
the file where it asks its Clock, which costs next to nothing, or everything in it lives by that time: libfaketime turns
the clock under OpenSSL and all else. Steady clocks are left alone; jobs are due more often instead (`hurried.py`).
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.hurried import CLOCK
from support.plants import Plant, access, furnish
from support.process import Mortal, wait_for
from support.renewal import lifetime_of
from support.then import Place, ask

_LIBRARY = "faketime/libfaketimeMT.so.1"
_LIBRARIES = (Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu"))
_STEP = timedelta(hours=23)
"""A server looks at its clock every half minute; here at least once in this time, for a jump is more than a day."""

_LOOK = 5.0
"""Seconds in which it has looked around, be the machine as busy as it may."""

NO_LIMIT = {"enrollmentBurst": 100_000}
"""Where days pass in seconds, nobody asks too often."""


def faketime() -> Path:
    """The library that turns the time of a process, or the test is skipped for want of it."""
    for place in _LIBRARIES:
        if (place / _LIBRARY).exists():
            return place / _LIBRARY
    pytest.skip("faketime is not installed")


class Clocks:
    """The world's time, which runs and is turned ahead; and by how much the server's is wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed = timedelta()
        self._wrong = timedelta()
        self._write()

    def nestor(self, *, whole: bool) -> tuple[str, ...]:
        """How to run `nestor` by the server's clock; `whole` turns it for all that is in the process."""
        env = shutil.which("env")
        assert env
        search = os.pathsep.join(path for path in sys.path if path)
        told = {"PYTHONPATH": search, **(self._faketime() if whole else {CLOCK: self._file})}
        return (env, *(f"{name}={value}" for name, value in told.items()), sys.executable, "-m", "support.hurried")

    def _faketime(self) -> dict[str, Any]:
        # Files keep their real times: else each turn would make every file look changed.
        told = {"FAKETIME_TIMESTAMP_FILE": self._file, "FAKETIME_NO_CACHE": 1, "NO_FAKE_STAT": 1}
        return {**told, "FAKETIME_DONT_FAKE_MONOTONIC": 1, "LD_PRELOAD": faketime()}

    @property
    def wrong(self) -> timedelta:
        """By how much the server's clock is ahead of the world's."""
        return self._wrong

    def now(self) -> datetime:
        """The world's time."""
        return datetime.now(UTC) + self._passed  # noqa: TID251 -- the server lives now, and then

    def turn_to(self, moment: datetime) -> None:
        """Let the world's time be so late, and the server's with it; never earlier than it was."""
        self._passed += max(timedelta(), moment - self.now())
        self._write()

    def set_wrong(self, by: timedelta) -> None:
        """Set the server's clock wrong by so much, or right again by nothing."""
        self._wrong = by
        self._write()

    def _write(self) -> None:
        # Renamed whole: it is read at every look at the clock.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{(self._passed + self._wrong).total_seconds():+f}", "utf-8")
        fresh.rename(self._file)


class Turned(Mortal):
    """A server under a clock that is turned; commands of the operator live by the same clock."""

    def __init__(
        self, place: Path, document: Any = None, *, tutorial: bool = False, whole: bool = False, **process: Any
    ) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.clocks = Clocks(place / "clock")
        super().__init__(place, document, program=self.clocks.nestor(whole=whole), **process)
        self._tutorial = tutorial

    def words(self) -> tuple[str, ...]:
        """The command line."""
        return (*super().words(), *(("--tutorial",) if self._tutorial else ()))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `nestor` on this server's data; raises where it fails."""
        where = ("--data", str(self.data), "--config", str(self.config))
        command = (*self.program, *words, *where)
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=self.place)

    @property
    def ca_file(self) -> Path:
        """The trust anchor of devices, copied from the data directory: a command would take a second."""
        place = self.place / "anchor.pem"
        if not place.exists():
            *_, root = x509.load_pem_x509_certificates((self.data / "ca" / "certificates.pem").read_bytes())
            place.write_bytes(root.public_bytes(Encoding.PEM))
        return place

    @property
    def here(self) -> Place:
        """Where to reach it, as somebody who trusts its CA and whose clock is right."""
        return Place("localhost", self.port, self.ca_file, self.clocks.now())

    def start(self) -> None:
        """Start, and wait until it answers."""
        super().start()
        self._looked = self.clocks.now()

    def ready(self) -> dict[str, str]:
        """What keeps it from issuing, by its own word; the certificate that it shows is good now."""
        return self._look()[0]

    def _look(self) -> tuple[dict[str, str], x509.Certificate]:
        answer, certificate = ask(self.here, "GET", "/readyz")
        problems: dict[str, str] = json.loads(answer.text).get("problems", {})
        assert (answer.status == 200) is not bool(problems)
        self._looked = self.clocks.now()
        return problems, certificate

    def live_until(self, moment: datetime) -> None:
        """Let time pass as it does in a plant: a server that runs looks at its clock, and around, all the while."""
        while self._process is not None and self._looked + _STEP < moment:
            self.clocks.turn_to(self._looked + _STEP)
            wait_for(self._has_looked_around, _LOOK, every=0.01)
        self.clocks.turn_to(moment)

    def set_clock_wrong(self, by: timedelta) -> None:
        """Let its clock be ahead by so much from one moment to the next; behind where it is negative."""
        if self._process is not None:
            self.ready()
        self.clocks.set_wrong(by)

    def set_clock_right(self) -> None:
        """Let its clock show the world's time again."""
        self.clocks.set_wrong(timedelta())

    def _has_looked_around(self) -> bool:
        """Whether its own certificate is not overdue, unless it can have none that lasts longer."""
        problems, certificate = self._look()
        now = self.clocks.now() + self.clocks.wrong
        overdue = now > certificate.not_valid_before_utc + lifetime_of(certificate) * 0.7
        return bool(problems) or not overdue or certificate.not_valid_after_utc == self._end_of_ca()

    def _end_of_ca(self) -> datetime:
        return x509.load_pem_x509_certificate(self.ca_file.read_bytes()).not_valid_after_utc


@dataclass(frozen=True)
class TurnedPlant(Plant):
    """A plant under a clock that is turned."""

    server: Turned


def turned_plant(place: Path, *, whole: bool = False, **document: Any) -> TurnedPlant:
    """A plant that is not started yet."""
    server = Turned(place, {**document, "access": access(limits=NO_LIMIT)}, whole=whole)
    return TurnedPlant(server, furnish(server))
