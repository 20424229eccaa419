"""The file of revocations: every line comes back, and no line can be made up."""

import dataclasses
from pathlib import Path

import pytest

from nestor.errors import CannotIssue, MaterialError
from nestor.ledger.revocations import Revocation, append_revocation, merge_revocations, read_revocations
from support.entries import NOON

ONE = Revocation(NOON, b"a" * 32, 0x7F03, "cabinet opened")
TWO = Revocation(NOON, b"b" * 32, 0x1, "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revocations.log"


def test_lines_come_back_as_they_were_appended(path: Path) -> None:
    for line in (ONE, TWO):
        append_revocation(path, line)
    assert list(read_revocations(path)) == [ONE, TWO]


def test_where_there_is_no_file_there_are_no_lines(path: Path) -> None:
    assert list(read_revocations(path)) == []


@pytest.mark.parametrize("reason", ["two\nlines", "a\r\nb\u2028c", "\x1b[31mred", "\ud800"])
def test_no_reason_can_make_a_second_line(path: Path, reason: str) -> None:
    append_revocation(path, dataclasses.replace(ONE, reason=reason))
    append_revocation(path, TWO)
    assert [line.sha256 for line in read_revocations(path)] == [ONE.sha256, TWO.sha256]


def test_an_unfinished_line_is_cut_off(path: Path) -> None:
    append_revocation(path, ONE)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole + whole[:length])
        assert list(read_revocations(path)) == [ONE]
        append_revocation(path, TWO)
        assert list(read_revocations(path)) == [ONE, TWO]


@pytest.mark.parametrize(
    "damage",
    [b"\n", b"hello\n", b"\xff\xff\n", b"2026-13-04T12:00:00Z " + b"a" * 64 + b" 1 lost\n", b"\0" * 80 + b"\n"],
)
def test_any_other_damage_is_an_error_that_names_the_line(path: Path, damage: bytes) -> None:
    append_revocation(path, ONE)
    path.write_bytes(path.read_bytes() + damage + f"{TWO}\n".encode())
    with pytest.raises(MaterialError, match="Line 2"):
        list(read_revocations(path))


def test_a_file_out_of_reach_is_an_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(CannotIssue, match="directory"):
        append_revocation(path, ONE)
    with pytest.raises(MaterialError, match="directory"):
        list(read_revocations(path))


def test_merging_adds_what_is_missing_once(path: Path) -> None:
    append_revocation(path, ONE)
    assert merge_revocations(path, [ONE, TWO, TWO]) == 1
    assert merge_revocations(path, [TWO, ONE]) == 0
    assert list(read_revocations(path)) == [ONE, TWO]


def test_merging_nothing_makes_no_file(path: Path) -> None:
    assert merge_revocations(path, []) == 0
    assert not path.exists()
