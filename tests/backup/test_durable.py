"""New files that appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from nestor.backup.durable import check_new, write_new, write_over
from nestor.errors import MaterialError


def test_a_new_file_is_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    place = tmp_path / "b.age"
    write_new(place, b"sealed")
    assert place.read_bytes() == b"sealed"
    assert place.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["b.age"]


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    place = tmp_path / "b.age"
    place.write_bytes(b"older")
    for write in (lambda: write_new(place, b"newer"), lambda: check_new(place)):
        with pytest.raises(MaterialError, match="is there already"):
            write()
    assert place.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["b.age"]


def test_a_file_is_written_over_whole(tmp_path: Path) -> None:
    place = tmp_path / "twin.json"
    for content in (b"older", b"newer"):
        write_over(place, content)
        assert place.read_bytes() == content
    assert place.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["twin.json"]


def test_a_file_that_cannot_be_written_over_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = tmp_path / "twin.json"
    write_over(place, b"older")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(MaterialError, match="No space left"):
        write_over(place, b"newer")
    assert place.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["twin.json"]


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="No such file"):
        write_new(tmp_path / "nowhere" / "b.age", b"sealed")


def test_a_disk_that_knows_no_second_names_takes_a_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # as on a memory stick
    write_new(tmp_path / "b.age", b"sealed")
    with pytest.raises(MaterialError, match="is there already"):
        write_new(tmp_path / "b.age", b"newer")
    assert (tmp_path / "b.age").read_bytes() == b"sealed"
    assert [path.name for path in tmp_path.iterdir()] == ["b.age"]
