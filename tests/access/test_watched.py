"""A file that changes, breaks and heals while it is watched."""

from pathlib import Path

import pytest

from nestor.access.watched import Watched
from nestor.errors import MaterialError
from nestor.events import Trouble


def read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        raise MaterialError("It is no number.", "Write one.") from None


def test_a_change_is_seen_at_the_next_question(tmp_path: Path) -> None:
    path = tmp_path / "n"
    path.write_text("1")
    watched = Watched(path, read_number, lambda trouble: None)
    assert watched.content == 1
    path.write_text("22")
    assert watched.content == 22


def test_a_file_replaced_by_one_of_the_same_size_is_seen(tmp_path: Path) -> None:
    path, fresh = tmp_path / "n", tmp_path / "fresh"
    path.write_text("1")
    watched = Watched(path, read_number, lambda trouble: None)
    fresh.write_text("2")
    fresh.replace(path)
    assert watched.content == 2


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    path, reads = tmp_path / "n", []
    path.write_text("1")
    watched = Watched(path, lambda at: reads.append(at) or 1, lambda trouble: None)
    assert [watched.content for _ in range(5)] == [1] * 5
    assert len(reads) == 1


def test_a_file_broken_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MaterialError):
        Watched(tmp_path / "missing", read_number, lambda trouble: None)


def test_a_file_broken_later_leaves_the_last_good_content_and_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "n"
    path.write_text("1")
    told: list[Trouble] = []
    watched = Watched(path, read_number, told.append)
    path.write_text("none")
    assert [watched.content for _ in range(3)] == [1, 1, 1]
    assert told == [Trouble("access", "It is no number. Write one. What it said before stays in force.")]
    path.write_text("3")
    assert watched.content == 3
