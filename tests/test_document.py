"""The words of the configuration document."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import ValidationError

from nestor.document import (
    Document,
    Duration,
    FileReference,
    HashReference,
    Percent,
    Reference,
    SecretReference,
    Words,
    described,
    show_duration,
)
from nestor.errors import MaterialError


class Sample(Document):
    how_long: Duration = described("A duration.", timedelta(days=30))
    share: Percent = described("A share.", 0.05)
    names: Words = described("Names.", ())
    secret: SecretReference | None = described("A secret.", None)
    file: FileReference | None = described("A file.", None)
    password_hash: HashReference | None = described("A hash.", None)


def read(text: str) -> Sample:
    return Sample.model_validate_json(text)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("60min", 3600), ("12h", 43_200), ("30d", 2_592_000), ("20y", 20 * 365 * 86_400)],
)
def test_a_duration_is_a_number_and_a_unit(written: str, seconds: int) -> None:
    sample = read(f'{{"howLong": "{written}"}}')
    assert sample.how_long == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    ["60m", "1.5h", "-1d", "d", "", "10 d", "1d2h", "0s", "0d", "101y", "9999999d", "9" * 4000 + "s", "\u0663d"],
)
def test_other_durations_are_refused_with_what_would_be_right(written: str) -> None:
    with pytest.raises(ValidationError, match="90s, 60min, 12h, 30d or 20y"):
        read(f'{{"howLong": "{written}"}}')


@pytest.mark.parametrize("written", ["90s", "60min", "36h", "30d", "20y"])
def test_a_duration_is_written_as_it_would_be_read(written: str) -> None:
    sample = read(f'{{"howLong": "{written}"}}')
    assert Sample.model_validate_json(sample.model_dump_json(by_alias=True)) == sample


def test_a_duration_is_shown_in_its_largest_whole_unit() -> None:
    assert show_duration(timedelta(hours=48)) == "2d"
    assert show_duration(timedelta(minutes=90)) == "90min"


def test_a_share_is_a_percentage() -> None:
    assert read('{"share": "10%"}').share == pytest.approx(0.1)
    for wrong in ("10", "101%", "5.5%", "-1%"):
        with pytest.raises(ValidationError, match="whole percentage"):
            read(f'{{"share": "{wrong}"}}')


def test_several_words_are_one_string_with_commas() -> None:
    assert read('{"names": "line1-*, gw3,"}').names == ("line1-*", "gw3")
    with pytest.raises(ValidationError, match="one string with commas"):
        read('{"names": ["a"]}')


def test_a_secret_is_named_and_never_written_out() -> None:
    assert read('{"secret": "env:PASS"}').secret == Reference("env", "PASS")
    with pytest.raises(ValidationError, match="named, not written out"):
        read('{"secret": "hunter2"}')


def test_a_file_cannot_come_from_the_environment() -> None:
    with pytest.raises(ValidationError, match="a file is needed"):
        read('{"file": "env:PASS"}')


def test_unknown_keys_and_strings_of_4_kb_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        read('{"nonsense": 1}')

    class Free(Document):
        text: Annotated[str, "any"] = described("Text.")

    with pytest.raises(ValidationError, match="at most 4095"):
        Free.model_validate_json(f'{{"text": "{"x" * 4096}"}}')


def test_a_reference_reads_a_file_below_its_base_without_the_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    assert Reference("file", "secret").read_text(tmp_path) == "hunter2"


def test_a_reference_reads_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SAMPLE", "hunter2")
    assert Reference("env", "NESTOR_SAMPLE").read_text(tmp_path) == "hunter2"


@pytest.mark.parametrize(
    "reference", [Reference("file", "nowhere"), Reference("file", "."), Reference("env", "NESTOR_NOT_SET")]
)
def test_what_cannot_be_read_is_told_by_name(reference: Reference, tmp_path: Path) -> None:
    with pytest.raises(MaterialError) as told:
        reference.read_text(tmp_path)
    assert reference.place in told.value.text


def test_a_file_of_bytes_is_not_text_and_its_content_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"secret\xff")
    with pytest.raises(MaterialError, match="not UTF-8") as told:
        Reference("file", "binary").read_text(tmp_path)
    assert "secret" not in told.value.text


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "huge"
    place.touch()
    os.truncate(place, 3 << 30)
    reference = Reference("file", "huge")
    for read in (reference.read_text, reference.read_bytes):
        with pytest.raises(MaterialError, match="The file of file:huge cannot be read: it is larger than"):
            read(tmp_path)


def test_a_hash_stands_for_itself_and_is_written_as_it_was(tmp_path: Path) -> None:
    hashed = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaA"
    sample = read(f'{{"passwordHash": "{hashed}"}}')
    assert sample.password_hash is not None
    assert sample.password_hash.read_text(tmp_path) == hashed
    assert hashed in sample.model_dump_json()
    assert hashed not in repr(sample)


def test_a_hash_may_be_named_too_and_a_password_may_not_stand_there(tmp_path: Path) -> None:
    (tmp_path / "u.hash").write_text("$argon2id$\n")
    named = read('{"passwordHash": "file:u.hash"}').password_hash
    assert named is not None
    assert named.read_text(tmp_path) == "$argon2id$"
    with pytest.raises(ValidationError, match="nestor user hash"):
        read('{"passwordHash": "Ludwig-van-9"}')
