"""What a command line of `nestor cert issue` asks for, and which words of it do not go together."""

from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509

from nestor.cli.cert_items import Asked
from nestor.errors import Malformed, MaterialError
from support.factories import put_list, put_requests

OUT = Path("out")


def asked(**words: Any) -> Asked:
    nothing: dict[str, Any] = {
        "name": None,
        "request": None,
        "alternative_names": (),
        "listed": None,
        "directory": None,
    }
    return Asked(**nothing | words)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ({}, False),
        ({"name": "a", "listed": OUT}, False),
        ({"listed": OUT, "directory": OUT}, False),
        ({"directory": Path("csrs"), "request": OUT}, False),
        ({"listed": Path("list.csv"), "alternative_names": ("a.example",)}, False),
        ({"name": "a", "request": Path("a.csr")}, True),
        ({"directory": Path("csrs")}, True),
        ({"directory": Path("csrs/../out")}, False),
    ],
)
def test_words_that_do_not_go_together_are_misuse(words: dict[str, Any], keys: bool) -> None:
    with pytest.raises(typer.BadParameter):
        asked(**words).check(OUT, keys=keys)


def test_one_name_is_one_row() -> None:
    one = asked(name="a", request=Path("a.csr"), alternative_names=("a.example",))
    one.check(OUT, keys=False)
    (item,) = one.items("server")
    assert (item.name, item.request, item.profile) == ("a", Path("a.csr"), "server")
    assert item.alternative_names == (x509.DNSName("a.example"),)
    with pytest.raises(Malformed):
        asked(name="a", alternative_names=("ü",)).items("server")


def test_requests_of_a_list_are_found_beside_it(tmp_path: Path) -> None:
    listed = put_list(tmp_path / "l.csv", ("name", "csr", "profile"), ("a", "r/a.csr", ""), ("b", "/r/b.csr", "server"))
    first, second = asked(listed=listed).items("bootstrap")
    assert (first.where, first.request, first.profile) == ("line 2", tmp_path / "r" / "a.csr", "bootstrap")
    assert (second.where, second.request, second.profile) == ("line 3", Path("/r/b.csr"), "server")


def test_the_requests_of_a_directory_come_in_their_order(tmp_path: Path) -> None:
    put_requests(tmp_path, ["b", "a"])
    (tmp_path / "c.DER").write_bytes(b"")
    (tmp_path / "._a.csr").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    items = asked(directory=tmp_path).items("bootstrap")
    assert [(item.where, item.name) for item in items] == [("a.csr", None), ("b.csr", None), ("c.DER", None)]


def test_nothing_to_issue_is_told(tmp_path: Path) -> None:
    for words in ({"listed": put_list(tmp_path / "l.csv", ("name",))}, {"directory": tmp_path / "nowhere"}):
        with pytest.raises(MaterialError, match=r"nothing in|cannot be read"):
            asked(**words).items("bootstrap")
