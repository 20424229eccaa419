"""The kept document: what was written is read again, and whatever else a disk holds is damage that has a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import MaterialError
from nestor.twin.kept import MOST_BYTES, Kept, Origin, digest_of, read_kept, write_kept

ORIGIN = Origin("hub", "gw3", "nestor", "1")
KEPT = Kept(ORIGIN, 7, {"listener": {"hostnames": "größe", "port": 8085}, "log": {"level": "info"}})


def test_what_was_written_is_read() -> None:
    assert read_kept(write_kept(KEPT)) == KEPT


def test_a_digest_knows_no_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": True})


@pytest.mark.parametrize("left", range(0, len(write_kept(KEPT)) - 1, 7))
def test_a_torn_file_is_damaged(left: int) -> None:
    with pytest.raises(MaterialError, match="damaged"):
        read_kept(write_kept(KEPT)[:left])


def _turned(**changes: Any) -> bytes:
    return json.dumps(json.loads(write_kept(KEPT)) | changes).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
        _turned(desired={"listener": {"port": 1}}),
        _turned(version="7"),
        _turned(digest=None),
        _turned(more=1),
    ],
)
def test_what_somebody_else_wrote_is_damaged(content: bytes) -> None:
    with pytest.raises(MaterialError, match=r"twin\.json"):
        read_kept(content)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_that(content: bytes) -> None:
    with pytest.raises(MaterialError):
        read_kept(content)
