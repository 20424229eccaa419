"""One at a time: a data directory has one server, and nobody restores under it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from nestor.app.occupancy import FILE, occupied
from nestor.errors import MaterialError, Unavailable
from support.process import Mortal

UNAVAILABLE = 6


def test_who_comes_second_is_told_who_was_first(tmp_path: Path) -> None:
    with occupied(tmp_path, "nestor serve"):
        who = rf"in use by nestor serve \(process {os.getpid()} on {socket.gethostname()}\)"
        with pytest.raises(Unavailable, match=who), occupied(tmp_path, "nestor ca restore"):
            pass
    with occupied(tmp_path, "nestor ca restore"):
        assert (tmp_path / FILE).read_text().startswith("nestor ca restore")


def test_the_file_alone_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("nestor serve (process 1 on another)\n")
    with occupied(tmp_path, "nestor serve"):
        pass


def test_a_directory_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="cannot be locked"), occupied(tmp_path / "nowhere", "nestor serve"):
        pass


def test_a_second_server_on_the_same_directory_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first, second = Mortal(tmp_path / "first"), Mortal(tmp_path / "second")
    second.data = first.data
    first.start()
    code, said = second.refused_start()
    assert code == UNAVAILABLE
    assert f"error: The data directory {first.data} is in use by nestor serve (process {first.process.pid} on" in said
    assert first.device().ask("GET", "/readyz").status == 200
    first.signal(signal.SIGKILL)
    first.wait(5)
    with second:
        assert second.device().ask("GET", "/readyz").status == 200
