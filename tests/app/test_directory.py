"""The data directory: made for its owner alone, and told from one that nobody served from, or may look into."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nestor.app.directory import check_directory, make_directory
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
