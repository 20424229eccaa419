"""Answers as bytes: read whole or refused, however they are cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.proxy.message import (
    NOTHING,
    TO_THE_END,
    Chunks,
    Framing,
    Garbled,
    chunk,
    end_of_head,
    framing_of_answer,
    read_head,
)

OK = b"HTTP/1.1 200 OK\r\n"


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 50))
def test_chunks_are_read_whatever_the_pieces_in_which_they_come(parts: list[bytes], piece: int) -> None:
    sent = b"".join(chunk([part]) for part in parts) + b"0\r\nX-Sum: 7\r\n\r\nNEXT"
    chunks, body, at = Chunks(), b"", 0
    while not chunks.ended:
        data = memoryview(sent[at : at + piece])
        found, taken = chunks.feed(data)
        body += b"".join(found)
        at += taken
    assert body == b"".join(parts)
    assert (sent[at:], chunks.trailers) == (b"NEXT", ((b"X-Sum", b"7"),))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail_otherwise_than_by_saying_so(data: bytes) -> None:
    try:
        Chunks().feed(memoryview(data))
        if (end := end_of_head(data)) >= 0:
            framing_of_answer(read_head(data[:end]), "GET")
    except Garbled:
        pass


@pytest.mark.parametrize(
    "body",
    [
        b"-1\r\n",
        b"0x1\r\n",
        b"1 1\r\n",
        b"\r\n",
        b"1\na\r\n",
        b"1\r\nab\r\n",
        b"ffffffffffffffff\r\n",
        b"1;" + b"a" * 5000,
        b"0\r\nX: 1\r\n y\r\n\r\n",
    ],
)
def test_chunks_that_may_be_read_otherwise_are_refused(body: bytes) -> None:
    with pytest.raises(Garbled):
        Chunks().feed(memoryview(body))


@pytest.mark.parametrize(
    ("head", "method", "framing"),
    [
        (OK + b"Content-Length: 5\r\n\r\n", "GET", Framing(5)),
        (OK + b"Content-Length: 5\r\n\r\n", "HEAD", NOTHING),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n", "GET", Framing(chunked=True)),
        (OK + b"\r\n", "GET", TO_THE_END),
        (b"HTTP/1.1 204 No\r\n\r\n", "GET", NOTHING),
        (b"HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n", "GET", NOTHING),
    ],
)
def test_a_body_is_framed_as_rfc_9112_says(head: bytes, method: str, framing: Framing) -> None:
    assert framing_of_answer(read_head(head), method) == framing


def test_values_keep_their_bytes() -> None:
    head = read_head(OK + b"A:  b c \t\r\nA: \xe4\r\nEmpty:\r\n\r\n")
    assert head.headers == ((b"A", b"b c"), (b"A", b"\xe4"), (b"Empty", b""))
