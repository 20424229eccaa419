"""The socket by which a command line reaches a stand-in that runs."""

import socket
import threading
from pathlib import Path

import pytest

from standin.control import Control, ask
from standin.errors import StandInError


def answer(line: str) -> str:
    if line.startswith("fail"):
        raise StandInError("It cannot be.")
    return f"did {line.strip()}"


def nothing() -> None:
    pass


def test_a_line_gets_its_answer_or_its_complaint(tmp_path: Path) -> None:
    place = tmp_path / "control.sock"
    told: list[str] = []
    with Control(place, answer, lambda: told.append("then")):
        assert ask(place, 'patch {"a": "ü"}') == 'did patch {"a": "ü"}'
        with pytest.raises(StandInError, match=r"It cannot be\."):
            ask(place, "fail")
    assert told == ["then", "then"]
    assert not place.exists()


def test_who_does_not_ask_or_does_not_wait_disturbs_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "control.sock"
    asked = threading.Event()

    def slow(line: str) -> str:
        asked.wait(5)
        return line

    done = threading.Semaphore(0)
    with Control(place, slow, done.release):
        for words in (b"", b"status\n"):
            with socket.socket(socket.AF_UNIX) as visitor:
                visitor.connect(str(place))
                visitor.sendall(words)
        asked.set()
        assert done.acquire(timeout=5)
        assert ask(place, "status") == "status\n"
    assert capsys.readouterr() == ("", "")


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(StandInError, match="No stand-in is running"):
        ask(tmp_path / "control.sock", "status")


def test_two_at_one_place_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "control.sock"
    with Control(place, answer, nothing), pytest.raises(StandInError, match="running already"):
        Control(place, answer, nothing)


def test_the_socket_of_one_that_ended_is_no_hindrance(tmp_path: Path) -> None:
    place = tmp_path / "control.sock"
    Control(place, answer, nothing)._server.server_close()
    assert place.exists()
    with Control(place, answer, nothing):
        assert ask(place, "status") == "did status"


def test_its_room_is_for_its_user_alone(tmp_path: Path) -> None:
    place = tmp_path / "room" / "control.sock"
    with Control(place, answer, nothing):
        assert place.parent.stat().st_mode & 0o777 == 0o700
        assert place.stat().st_mode & 0o777 == 0o600
