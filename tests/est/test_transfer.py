"""Bodies: base64 in two dialects, white space forgiven, everything else told."""

import base64
import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestor.errors import Malformed
from nestor.est.transfer import Dialect, decode, dialect_of, encode

DER = b"\x30" + bytes(range(255))
TEXT = base64.b64encode(DER)


@given(st.binary(max_size=400), st.sampled_from(Dialect))
def test_what_is_encoded_is_decoded(content: bytes, dialect: Dialect) -> None:
    der = b"\x30" + content
    text = encode(der, dialect)
    assert decode(text, lenient=False) == decode(text, lenient=True) == der


def test_lines_have_64_columns_and_each_its_line_feed() -> None:
    *lines, last = encode(DER, Dialect.WRAPPED).split(b"\n")
    assert last == b""
    assert {len(line) for line in lines[:-1]} == {64}
    assert b"".join(lines) + b"\n" == encode(DER, Dialect.ONE_LINE) == TEXT + b"\n"


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (TEXT, Dialect.ONE_LINE),
        (TEXT + b"\n", Dialect.ONE_LINE),
        (b"\r\n" + TEXT + b"\r\n\r\n", Dialect.ONE_LINE),
        (TEXT[:64] + b"\n" + TEXT[64:], Dialect.WRAPPED),
        (TEXT[:64] + b"\r" + TEXT[64:], Dialect.WRAPPED),
        (b"", Dialect.ONE_LINE),
    ],
)
def test_only_line_breaks_inside_a_body_make_it_wrapped(body: bytes, dialect: Dialect) -> None:
    assert dialect_of(body) is dialect


@pytest.mark.parametrize("columns", [1, 64, 76])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \t", b"\n  "])
def test_white_space_does_not_matter(columns: int, end: bytes) -> None:
    body = b" \t" + b"".join(TEXT[at : at + columns] + end for at in range(0, len(TEXT), columns))
    assert decode(body, lenient=False) == DER


@pytest.mark.parametrize("kind", [b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST", b"PKCS7"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_armor_is_taken_off_where_that_is_allowed(kind: bytes, end: bytes) -> None:
    body = end.join((b"-----BEGIN " + kind + b"-----", TEXT[:64], TEXT[64:], b"-----END " + kind + b"-----", b""))
    assert decode(body, lenient=True) == DER
    with pytest.raises(Malformed, match="PEM"):
        decode(body, lenient=False)


def test_bare_der_is_taken_where_that_is_allowed() -> None:
    assert decode(DER, lenient=True) == DER
    with pytest.raises(Malformed, match="bare DER"):
        decode(DER, lenient=False)


PEM = b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"MAA=MAA=", "follows the end"),
        (b"MAA=\nMAA=", "follows the end"),
        (b"MAA=x", "follows the end"),
        (b"MAA===", "follows the end"),
        (b"MAA", "cut short"),
        (b"M", "cut short"),
        (b"MA=", "cut short"),
        (b"==", "cut short"),
        (b"====", "follows the end"),
        (b"MA--", "base64url"),
        (b"MA_=", "base64url"),
        (b"{}", "not base64"),
        (b"MA\x00=", "not base64"),
        (b"MA\x0b==", "not base64"),
        (PEM + PEM, "follows the PEM"),
        (PEM + b"x", "follows the PEM"),
        (PEM[:-10], "no END line"),
        (PEM.replace(b"CERTIFICATE REQUEST", b"CERTIFICATE"), "PEM CERTIFICATE, which"),
        (PEM.replace(b"CERTIFICATE REQUEST", b"PRIVATE KEY"), "PEM PRIVATE KEY, which"),
        (b"-----BEGIN -----", "no PEM"),
        (b"-----", "no PEM"),
        (PEM.replace(b"MAA=", b""), "empty"),
        (PEM.replace(b"MAA=", b"Proc-Type: 4,ENCRYPTED"), "not base64"),
    ],
)
def test_what_is_no_body_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        decode(body, lenient=True)


@given(st.binary(max_size=100), st.booleans())
def test_whatever_a_body_is_only_malformed_escapes(body: bytes, lenient: bool) -> None:
    try:
        decode(body, lenient=lenient)
    except Malformed:
        return


@pytest.mark.parametrize(
    "piece", [b"-----BEGIN CERTIFICATE REQUEST-----", b"-----BEGIN ", b"=", b"-", b"\n", b"A", b"A="]
)
def test_a_hostile_body_costs_time_in_step_with_its_size(piece: bytes) -> None:
    body = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    with contextlib.suppress(Malformed):
        decode(body, lenient=True)
    assert time.perf_counter() - started < 0.5
