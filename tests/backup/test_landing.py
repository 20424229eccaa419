"""A new state takes the place of an old one, wherever it is interrupted."""

import os
import signal
from pathlib import Path

import pytest

from nestor.backup.landing import Landing, Move
from nestor.errors import MaterialError
from support.mortality import kill_at_change

OLD = {"ledger.db": "old ledger", "ledger.db-wal": "old log", "ca/key.pem": "old key", "users.json": "users"}
NEW = {"ledger.db": "new ledger", "ca/key.pem": "new key", "ca/certificates.pem": "new certificate"}
MOVES = [Move(f"data/{name}", name, ("ledger.db-wal",) if name == "ledger.db" else ()) for name in NEW]
AFTER = {**NEW, "users.json": "users"}
ASIDE = {name: content for name, content in OLD.items() if name != "users.json"}


def written(place: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content)


def held(place: Path) -> dict[str, str]:
    """Every file below a place, but for what is set aside."""
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_text() for path in files}


def stage(data: Path) -> Landing:
    landing = Landing(data)
    landing.begin()
    written(landing.new / "data", NEW)
    return landing


@pytest.fixture
def data(tmp_path: Path) -> Path:
    written(tmp_path / "data", OLD)
    return tmp_path / "data"


def test_the_new_takes_its_places_and_the_old_is_moved_aside(data: Path) -> None:
    landing = stage(data)
    landing.decide(MOVES, "replaced")
    assert landing.is_decided
    assert sorted(landing.carry_out()) == sorted(ASIDE)
    assert not landing.is_decided
    assert held(data) == {**AFTER, **{f"replaced/{name}": content for name, content in ASIDE.items()}}


def test_what_was_not_decided_changes_nothing(data: Path) -> None:
    landing = stage(data)
    assert not landing.is_decided
    landing.abandon()
    assert held(data) == OLD
    stage(data)
    stage(data).abandon()
    assert held(data) == OLD


def test_what_stands_aside_already_is_kept_as_well(data: Path) -> None:
    written(data / "replaced", {"ledger.db": "older still"})
    landing = stage(data)
    landing.decide(MOVES, "replaced")
    landing.carry_out()
    assert (data / "replaced" / "ledger.db").read_text() == "older still"
    assert (data / "replaced" / "ledger.db.1").read_text() == "old ledger"


def test_a_log_that_came_after_the_new_ledger_is_its_own(data: Path) -> None:
    landing = stage(data)
    landing.decide(MOVES, "replaced")
    (landing.new / "data" / "ledger.db").rename(data / "ledger.db")  # so far an interrupted try had come ...
    (data / "ledger.db-wal").write_text("new log")  # ... and somebody wrote since
    landing.carry_out()
    assert (data / "ledger.db-wal").read_text() == "new log"


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaterialError, match="cannot be put into its place"):
        Landing(tmp_path / "file").begin()


def _interrupted(data: Path, after: int) -> bool:
    """Land in a process that is killed at its n-th change of the disk; whether it came so far."""
    child = os.fork()
    if child == 0:
        kill_at_change(after)
        landing = stage(data)
        landing.decide(MOVES, "replaced")
        landing.carry_out()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_killed_at_any_change_of_the_disk_it_is_the_old_state_or_becomes_the_new_one(tmp_path: Path) -> None:
    outcomes, number = [], 0
    while True:
        number += 1
        data = tmp_path / str(number)
        written(data, OLD)
        if not _interrupted(data, number):
            break
        landing = Landing(data)
        if landing.is_decided:
            landing.carry_out()
        landing.begin()
        landing.abandon()
        now = {name: content for name, content in held(data).items() if not name.startswith("replaced")}
        assert now in (OLD, AFTER), number
        outcomes.append(now == AFTER)
    assert outcomes == sorted(outcomes)
    assert {True, False} == set(outcomes)
