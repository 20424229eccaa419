"""The report of a batch: a line for every row, in place when the batch is through."""

from pathlib import Path

import pytest

from nestor.app.batch import Outcome, Status
from nestor.app.report import MANIFEST, REFUSED_LIST, reporting
from nestor.errors import Forbidden, MaterialError
from support.asking import entry
from support.factories import read_list

ISSUED = Outcome("line 2", "dev1", Status.ISSUED, entry(b"der", "dev1"), Path("out/dev1.pem"))
REFUSED = Outcome("line 3", "=dev2", Status.REFUSED, fault=Forbidden("It may not.", "Ask."))


def test_every_row_is_in_the_manifest_and_refused_ones_have_their_sentence(tmp_path: Path) -> None:
    with reporting(tmp_path) as report:
        report.add(ISSUED)
        report.add(REFUSED)
        assert not (tmp_path / MANIFEST).exists(), "it takes its place when it is whole"
    first, second = read_list(tmp_path / MANIFEST)
    assert first == {
        "name": "dev1",
        "serial": "1",
        "sha256": "5050d80d22ecd471ea55df7034042c1e041341ff4066e7f6ff38e20b720df8ea",
        "sha1": "7d44c33cf9a82ab9bd5300d266784504e9772177",
        "notAfter": "2026-06-30T12:00:00Z",
        "file": "dev1.pem",
        "status": "issued",
    }
    assert (second["name"], second["serial"], second["status"]) == ("'=dev2", "", "refused")
    assert read_list(tmp_path / REFUSED_LIST) == [
        {"where": "line 3", "name": "'=dev2", "sentence": "It may not.", "hint": "Ask."}
    ]
    assert sorted(place.name for place in tmp_path.iterdir()) == [MANIFEST, REFUSED_LIST]


def test_where_nothing_is_refused_the_list_of_before_goes(tmp_path: Path) -> None:
    with reporting(tmp_path) as report:
        report.add(REFUSED)
    with reporting(tmp_path) as report:
        report.add(ISSUED)
    assert [place.name for place in tmp_path.iterdir()] == [MANIFEST]


def test_a_batch_that_breaks_off_leaves_the_report_of_before(tmp_path: Path) -> None:
    with reporting(tmp_path) as report:
        report.add(ISSUED)
    before = (tmp_path / MANIFEST).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path)
    assert (tmp_path / MANIFEST).read_bytes() == before
    assert [place.name for place in tmp_path.iterdir()] == [MANIFEST]


def _interrupted(place: Path) -> None:
    with reporting(place) as report:
        report.add(REFUSED)
        raise KeyboardInterrupt


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="cannot be written"), reporting(tmp_path / "nowhere"):
        pass
