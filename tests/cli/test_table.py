"""Lists as spreadsheets write them; what is wrong is told with its line."""

from pathlib import Path

import pytest

from nestor.cli.table import Line, read_table
from nestor.errors import MaterialError


def read(place: Path, content: str | bytes) -> list[Line]:
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(place, needed="name", known=("names", "oneTime"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


@pytest.mark.parametrize(
    "content",
    [
        'name,names\ndev1,"a, b"\n\nÄ,\n',
        '\ufeffname,names\r\ndev1,"a, b"\r\n,\r\nÄ,\r\n',
        "NAME;Names\ndev1;a, b\n;\n Ä ;\n",
        'names,name\n" a ,b ",dev1\n\n,Ä',
    ],
)
def test_rows_are_read_by_their_columns_whatever_wrote_them(place: Path, content: str) -> None:
    first, second = read(place, content)
    assert (first.number, first.cells["name"], first.words("names"), first.fault) == (2, "dev1", ("a", "b"), "")
    assert (second.number, second.cells["name"], second.words("names")) == (4, "Ä", ())
    assert second.words("oneTime") == ()


def test_a_row_of_another_width_is_told(place: Path) -> None:
    faults = [line.fault for line in read(place, "name,names\na\nb,c,d\ne,f\n")]
    assert faults == ["The heading has 2 columns, this row 1.", "The heading has 2 columns, this row 3.", ""]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no column 'name'"),
        ("names\na\n", "no column 'name'"),
        ("name,nmaes\na,b\n", "a column 'nmaes'"),
        ("name,NAME\na,b\n", "or one twice"),
        ("dev1\ndev2\n", "a column 'dev1'"),
        ('name\n"a\n', "Line 2 .* is not CSV"),
        ('name\na\n"b"c\n', "Line 3 .* is not CSV"),
        (b"name\n\xff\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_list_is_told(place: Path, content: str | bytes, why: str) -> None:
    with pytest.raises(MaterialError, match=why) as caught:
        read(place, content)
    assert str(place) in caught.value.sentence


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="cannot be read"):
        read_table(tmp_path / "nowhere", needed="name", known=())
