"""A passphrase is named or asked for, never typed into a command line, and never shown."""

import io
from pathlib import Path

import pytest

from nestor.cli.exits import Misuse
from nestor.cli.passphrase import read_passphrase
from nestor.errors import MaterialError


def test_a_passphrase_is_read_from_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pass").write_text("correct horse\n")
    monkeypatch.setenv("NESTOR_TEST_PASS", "correct horse")
    monkeypatch.chdir(tmp_path)
    for named in (f"file:{tmp_path / 'pass'}", "file:pass", "env:NESTOR_TEST_PASS"):
        assert read_passphrase("--key-passphrase", named, about="Passphrase") == "correct horse"


def test_a_passphrase_that_was_typed_is_refused_and_not_shown() -> None:
    with pytest.raises(Misuse, match="never typed") as caught:
        read_passphrase("--key-passphrase", "correct horse", about="Passphrase")
    assert "correct" not in caught.value.text


def test_an_empty_one_and_one_that_is_missing_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for named, why in ((f"file:{tmp_path / 'empty'}", "is empty"), ("env:NESTOR_NOT_SET", "is not set")):
        with pytest.raises(MaterialError, match=why):
            read_passphrase("--key-passphrase", named, about="Passphrase")


def test_where_there_is_no_terminal_it_is_the_first_line_that_is_piped_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\nbattery\n"))
    assert read_passphrase("--key-passphrase", "ask", about="Passphrase") == "correct horse"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(MaterialError, match="is empty"):
        read_passphrase("--key-passphrase", "ask", about="Passphrase")
