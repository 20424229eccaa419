"""Patterns and what they cover, and which device a name belongs to."""

import fnmatch
import time

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from nestor.access.names import any_covers, covers, is_edge_ca_name, literal, names_of, printable, text_of
from nestor.model import NewNames
from support.asking import csr, subject

ALPHABET = st.text("ab*?\\[].-", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dev1", "dev1"),
        ("DEV1", "dev1"),
        ("dev1", "Dev1"),
        ("*", ""),
        ("*", "anything at all"),
        ("line1-*", "line1-"),
        ("line1-*", "LINE1-press"),
        ("line?-*", "line7-press"),
        ("*-gw", "a-gw-gw"),
        ("a*b*c", "axxbxxbxxc"),
        (r"a\*", "a*"),
        (r"a\?", "a?"),
        (r"a\\", "a\\"),
        ("a\\", "a\\"),
        ("straße", "STRASSE"),
    ],
)
def test_a_pattern_covers(pattern: str, text: str) -> None:
    assert covers(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("dev1", "dev10"),
        ("dev1", "xdev1"),
        ("dev1", ""),
        ("", "dev1"),
        ("line1-*", "line10-press"),
        ("line1-*", "xline1-press"),
        ("line?-*", "line-press"),
        ("?", ""),
        ("?", "ab"),
        ("dev.", "dev1"),
        ("dev[0-9]", "dev1"),
        ("dev1|dev2", "dev2"),
        ("dev1$", "dev1"),
        ("dev1", "dev1\n"),
        (r"a\*", "ab"),
        (r"a\?", "ab"),
    ],
)
def test_a_pattern_does_not_cover(pattern: str, text: str) -> None:
    assert not covers(pattern, text)


@given(pattern=st.text("ab*?-", max_size=10), text=st.text("ab-", max_size=12))
def test_patterns_mean_what_shells_mean_by_them(pattern: str, text: str) -> None:
    assert covers(pattern, text) == fnmatch.fnmatchcase(text, pattern)


@given(text=ALPHABET, other=ALPHABET)
def test_a_literal_covers_itself_only(text: str, other: str) -> None:
    assert covers(literal(text), text)
    assert covers(literal(text), other) == (text.casefold() == other.casefold())


@given(pattern=st.text(max_size=20), text=st.text(max_size=20))
def test_no_text_breaks_the_matching(pattern: str, text: str) -> None:
    covers(pattern, text)


def test_no_pattern_is_slow() -> None:
    started = time.perf_counter()
    assert not covers("*a" * 60 + "b", "a" * 255)
    assert time.perf_counter() - started < 0.5


def test_any_of_several_patterns_is_enough() -> None:
    assert any_covers(("a*", "b*"), "b1")
    assert not any_covers((), "b1")


def test_the_prefix_of_an_edge_ca_is_known_in_whatever_case() -> None:
    assert is_edge_ca_name("AZIOT-EDGE ca x")
    assert not is_edge_ca_name("aziot-edge")


def test_new_names_replace_those_of_the_request() -> None:
    old = (x509.DNSName("a"),)
    assert names_of(csr("a", alternative_names=old)) == (subject("a"), old)
    new = NewNames(subject("b"), (x509.DNSName("b"),))
    assert names_of(csr("a", alternative_names=old, new_names=new)) == (subject("b"), (x509.DNSName("b"),))


def test_kinds_of_names_that_have_no_text_have_none() -> None:
    import ipaddress

    assert text_of(x509.IPAddress(ipaddress.ip_address("2001:db8::1"))) == "2001:db8::1"
    assert text_of(x509.UniformResourceIdentifier("urn:a")) == "urn:a"
    assert text_of(x509.RFC822Name("a@b.example")) == "a@b.example"
    assert text_of(x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))) is None
    assert text_of(x509.DirectoryName(subject("a"))) is None
    assert text_of(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")) is None


def test_what_cannot_be_printed_is_not_shown() -> None:
    assert printable("a\nb\u202ec") == "a?b?c"
