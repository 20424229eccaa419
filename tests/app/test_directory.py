"""The data directory: made for its owner alone, and told from one that nobody served from, or may look into."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nestor.app import directory
from nestor.app.directory import check_directory, check_open, make_directory, warnings_of
from nestor.errors import MaterialError

_NOBODY = 65_534


@contextmanager
def _somebody_else(place: Path) -> Iterator[None]:
    """Be a user who may not look into a directory, whoever runs the tests."""
    if os.geteuid() != 0:
        place.chmod(0)
        yield
        place.chmod(0o700)
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "data")
    assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("trace", ["ca-made", "ca", "ledger.db", "ledger.db-wal", "revocations.log"])
def test_any_trace_of_a_server_is_enough(tmp_path: Path, trace: str) -> None:
    with pytest.raises(MaterialError, match="There is no Nestor data"):
        check_directory(tmp_path)
    (tmp_path / trace).touch()
    check_directory(tmp_path)


def test_whoever_may_not_look_is_told_to_be_somebody_else() -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "ledger.db").touch()
        with _somebody_else(Path(name)), pytest.raises(MaterialError) as told:
            check_directory(Path(name))
    assert told.value.sentence == f"The data directory {name} cannot be read: Permission denied."
    assert told.value.hint == "Run this as the user that Nestor runs as."


def test_a_server_that_may_not_look_is_told_the_chown() -> None:
    with tempfile.TemporaryDirectory() as name:
        check_open(Path(name))
        with _somebody_else(Path(name)), pytest.raises(MaterialError) as told:
            check_open(Path(name))
    assert told.value.sentence.startswith(f"{name} belongs to user ")
    assert "sudo chown -R " in told.value.hint


def test_a_directory_of_one_s_own_is_not_doubted(tmp_path: Path) -> None:
    make_directory(tmp_path / "data")
    assert warnings_of(tmp_path / "data") == []


def test_others_who_may_write_are_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (warning,) = warnings_of(tmp_path)
    assert "(mode 0777)" in warning


def test_a_volume_of_another_user_is_told_with_the_chown_that_helps() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        with _somebody_else(place):
            (warning,) = warnings_of(place)
            user, group = os.geteuid(), os.getegid()
    assert (
        f"runs as user {user}, who may not write there. On the host: sudo chown -R {user}:{group} DIRECTORY" in warning
    )
    assert f"what is mounted at {name} (docker inspect CONTAINER" in warning


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_ledger_of_another_user_in_a_directory_of_one_s_own_is_told_too() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.chown(place, _NOBODY, 0)
        (place / "ledger.db").touch(mode=0o600)
        with _somebody_else(place):
            (warning,) = warnings_of(place)
    assert warning.startswith(f"{name}/ledger.db belongs to user 0, ")


def test_what_it_lies_on_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("1 0 0:1 / / rw - overlay overlay rw\n")
    monkeypatch.setattr(directory, "_MOUNTS", mounts)
    tmp_path.chmod(0o700)
    (warning,) = warnings_of(tmp_path)
    assert warning.startswith(f"{tmp_path} is on no volume")
    monkeypatch.setattr(directory, "_MOUNTS", tmp_path / "nowhere")
    assert warnings_of(tmp_path) == []
