"""Files with secrets: new, for their owner only."""

import stat
from pathlib import Path

import pytest

from nestor.cli.private import write_private
from nestor.errors import MaterialError


def test_a_secret_goes_to_a_new_file_of_its_owner(tmp_path: Path) -> None:
    place = tmp_path / "secret"
    write_private(place, "a\n")
    assert (place.read_text(), stat.S_IMODE(place.stat().st_mode)) == ("a\n", 0o600)


def test_a_file_that_is_there_is_never_overwritten_nor_followed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("there", "link", "nowhere/secret"):
        with pytest.raises(MaterialError, match="cannot be made"):
            write_private(tmp_path / name, "secret")
    assert (tmp_path / "there").read_text() == "before"
    assert not (tmp_path / "target").exists()
