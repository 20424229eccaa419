"""DER: written shortest, read one level at a time, and nothing but BadDER for what is broken."""

import time

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est import der
from nestor.est.der import BadDER, Reader


@given(st.binary(max_size=300), st.binary(max_size=4))
def test_what_is_written_reads_as_it_was(content: bytes, after: bytes) -> None:
    reader = Reader(der.octets(content) + after)
    assert reader.take(der.OCTET_STRING).content == content
    assert reader.next_tag == (after[0] if after else None)


@given(st.integers(min_value=0, max_value=1 << 2100))
def test_numbers_keep_their_value(number: int) -> None:
    assert der.read_integer(der.only(der.integer(number))) == number


@given(st.sampled_from([0, 1, 2]), st.integers(0, 39), st.lists(st.integers(0, 1 << 40), max_size=5))
def test_object_identifiers_keep_their_arcs(first: int, second: int, others: list[int]) -> None:
    identifier = x509.ObjectIdentifier(".".join(map(str, (first, second, *others))))
    assert der.read_oid(der.only(der.oid(identifier))) == identifier


@given(st.binary(max_size=64))
def test_whatever_is_read_only_bad_der_escapes(data: bytes) -> None:
    for read in (der.read_oid, der.read_integer):
        try:
            read(der.only(data))
        except BadDER:
            continue


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("30", "more is expected"),
        ("3005020100", "longer than what is left"),
        ("308000", "length is not DER"),  # indefinite
        ("30810100", "length is not DER"),  # could be shorter
        ("3082007f", "length is not DER"),
        ("308500000000010000", "length is not DER"),
        ("3084ffffffff00", "longer than what is left"),
        ("1f8101010000", "tag that nothing here has"),
        ("050000", "1 bytes follow"),
    ],
)
def test_what_is_not_der_is_refused_and_the_place_is_told(data: str, why: str) -> None:
    with pytest.raises(BadDER, match=why):
        der.only(bytes.fromhex(data))


@pytest.mark.parametrize("content", ["", "0001", "ff80", "007f"])
def test_a_number_that_is_not_shortest_is_refused(content: str) -> None:
    with pytest.raises(BadDER, match="number"):
        der.read_integer(der.Element(der.INTEGER, bytes.fromhex(content), b""))


@pytest.mark.parametrize("content", ["", "80", "2a8001", "2a80", "2a" * 65, "ff"])
def test_an_object_identifier_that_is_not_shortest_is_refused(content: str) -> None:
    with pytest.raises(BadDER, match="object identifier"):
        der.read_oid(der.Element(der.OID, bytes.fromhex(content), b""))


def test_a_set_is_written_in_order() -> None:
    assert der.set_of(b"\x04\x01b", b"\x04\x01a") == bytes.fromhex("3106040161040162")


def test_an_element_of_another_kind_is_refused() -> None:
    with pytest.raises(BadDER, match="byte 3 opens an element of another kind"):
        Reader(der.integer(1) + der.octets(b"")).all(der.INTEGER)


def test_looking_ahead_takes_nothing() -> None:
    reader = Reader(der.integer(5))
    assert reader.peek() == reader.take()
    assert reader.peek() is None
    assert reader.optional(der.INTEGER) is None


def test_deep_nesting_costs_one_level() -> None:
    data = b""
    for _ in range(10_000):
        data = der.sequence(data)
    started = time.perf_counter()
    assert Reader(data).enter().next_tag == der.SEQUENCE
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    "error",
    [
        ValueError("inside"),
        TypeError("inside"),
        OverflowError("inside"),
        BadDER("byte 3 is odd"),
        x509.DuplicateExtension("inside", x509.BasicConstraints.oid),
        x509.InvalidVersion("inside", 7),
        x509.UnsupportedGeneralNameType("inside"),
    ],
)
def test_whatever_a_parser_raises_is_malformed_in_our_words(error: Exception) -> None:
    with pytest.raises(Malformed, match=r"^The thing cannot be read: ") as caught, der.reading("The thing"):
        raise error
    assert "inside" not in caught.value.text


def test_bugs_of_our_own_are_not_blamed_on_the_device() -> None:
    with pytest.raises(KeyError), der.reading("The thing"):
        raise KeyError
