"""A process whose wall clock a test turns: the library of faketime, told the time by a file."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.process import NESTOR

_PLACES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")


@dataclass(frozen=True)
class Turned:
    """A wall clock that goes with the machine's until it is turned; the monotonic one is left alone."""

    file: Path

    def to(self, ahead: str) -> None:
        """Set it so much ahead of the machine's, or behind it: `+60s`, `-1h`."""
        self.file.write_text(ahead, "utf-8")
        os.utime(self.file)

    @property
    def program(self) -> tuple[str, ...]:
        """`nestor` under this clock."""
        faked = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": self.file,
            "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
        env = shutil.which("env")
        assert env
        return (env, *(f"{name}={value}" for name, value in faked.items()), *NESTOR)


def turned(place: Path) -> Turned:
    """A clock, kept in a directory; skips the test where faketime is not installed."""
    clock = Turned(place / "now")
    clock.to("+0s")
    return clock


def _library() -> Path:
    for place in _PLACES:
        library = Path(place) / "faketime" / "libfaketimeMT.so.1"
        if library.exists():
            return library
    pytest.skip("faketime is not installed")
