"""A conveyance crosses a hop as it is, or not at all."""

import base64
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from nestor.conveyance import Conveyance, Statement
from nestor.errors import Malformed
from nestor.est.conveying import HEADERS, read_conveyance, write_conveyance
from support.pki import authority

CA = authority("Conveying")
LEAF = CA.issue("pump-1").certificate
DER = LEAF.public_bytes(Encoding.DER)
TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
CERTIFICATES = st.sampled_from([LEAF, CA.certificate])


def _read(pairs: list[tuple[str, str]], moment: float = 0.0) -> Conveyance | None:
    return read_conveyance({name: [value for one, value in pairs if one == name] for name in HEADERS}, moment)


def _bytes(der: bytes) -> str:
    return f":{base64.b64encode(der).decode()}:"


CERT = ("Client-Cert", _bytes(DER))


@st.composite
def conveyances(draw: st.DrawFn) -> Conveyance:
    """Any conveyance that names somebody."""
    certificate = draw(st.none() | CERTIFICATES)
    addresses = st.just("") | st.ip_addresses().map(str)
    statements = st.builds(Statement, st.just("password"), TEXTS, TEXTS, addresses)
    return Conveyance(
        certificate=certificate,
        chain=tuple(draw(st.lists(CERTIFICATES, max_size=6))) if certificate else (),
        statement=draw(st.none() | statements if certificate else statements),
        hops=tuple(draw(st.lists(TEXTS, max_size=9))),
        deadline=draw(st.none() | st.integers(1000, 600_000).map(lambda left: left / 1000)),
        idempotency_key=draw(st.none() | TEXTS),
    )


@given(conveyances())
def test_what_is_written_is_read(conveyance: Conveyance) -> None:
    assert _read(list(write_conveyance(conveyance, 0.0))) == conveyance


def test_a_certificate_comes_through_byte_by_byte() -> None:
    conveyed = _read([CERT])
    assert conveyed is not None
    assert conveyed.certificate == LEAF
    assert dict(write_conveyance(conveyed, 0.0)) == dict([CERT])


def test_the_deadline_is_what_is_left_by_the_clock_of_each_server() -> None:
    told = Conveyance(statement=Statement("password", "line1", "default"), deadline=107.5)
    read = _read(list(write_conveyance(told, 100.0)), moment=3.0)
    assert read is not None
    assert read.deadline == pytest.approx(10.5)
    assert dict(write_conveyance(told, 200.0))["Nestor-Deadline"] == "0"


def test_a_request_without_such_headers_conveys_nobody() -> None:
    assert _read([]) is None
    assert _read([("Idempotency-Key", '"anything"')]) is None
    assert _read([("Idempotency-Key", "of another program")]) is None


def test_a_chain_comes_on_one_line_or_on_several() -> None:
    links = [_bytes(CA.certificate.public_bytes(Encoding.DER))] * 2
    several = _read([CERT, *(("Client-Cert-Chain", link) for link in links)])
    assert several == _read([CERT, ("Client-Cert-Chain", ", ".join(links))])
    assert several is not None
    assert several.chain == (CA.certificate,) * 2


_REFUSED = {
    "two certificates": [CERT, CERT],
    "a list of certificates": [("Client-Cert", f"{CERT[1]}, {CERT[1]}")],
    "no colons": [("Client-Cert", base64.b64encode(DER).decode())],
    "bad base64": [("Client-Cert", f":{CERT[1][1:-5]}:")],
    "other padding": [("Client-Cert", ":AB==:")],
    "no certificate": [("Client-Cert", ":AAAA:")],
    "an empty certificate": [("Client-Cert", "::")],
    "an empty header": [("Client-Cert", "")],
    "bytes after the certificate": [("Client-Cert", _bytes(DER + b"\0"))],
    "too large a certificate": [("Client-Cert", _bytes(DER + b"\0" * 12_000))],
    "a chain alone": [("Client-Cert-Chain", CERT[1])],
    "too long a chain": [CERT, ("Client-Cert-Chain", ", ".join([CERT[1]] * 7))],
    "hops of nobody": [("Nestor-Hops", '"gw1"')],
    "a hop that is no text": [CERT, ("Nestor-Hops", ":AAAA:")],
    "more hops than any way has": [CERT, ("Nestor-Hops", ", ".join(['"a"'] * 33))],
    "a statement twice": [("Nestor-Requester", 'method=password, user="a", label="b"')] * 2,
    "half a statement": [("Nestor-Requester", 'method=password, user="a"')],
    "a statement of more": [("Nestor-Requester", 'method=password, user="a", label="b", root=1')],
    "an empty user": [("Nestor-Requester", 'method=password, user="", label="b"')],
    "a user of several lines": [("Nestor-Requester", 'method=password, user=%"a%0ab", label="b"')],
    "an address that is none": [("Nestor-Requester", 'method=password, user="a", label="b", address="gw1"')],
    "an empty address": [("Nestor-Requester", 'method=password, user="a", label="b", address=""')],
    "an address that is no text": [("Nestor-Requester", 'method=password, user="a", label="b", address=167772161')],
    "an address of a zone": [("Nestor-Requester", 'method=password, user="a", label="b", address="fe80::1%eth0"')],
    "an address with more": [("Nestor-Requester", 'method=password, user="a", label="b", address="10.0.0.1/8"')],
    "a deadline in the past": [CERT, ("Nestor-Deadline", "-1")],
    "a deadline that is no number": [CERT, ("Nestor-Deadline", "soon")],
    "two deadlines": [CERT, ("Nestor-Deadline", "1"), ("Nestor-Deadline", "2")],
    "a key that is no text": [CERT, ("Idempotency-Key", "1")],
}


@pytest.mark.parametrize("pairs", _REFUSED.values(), ids=_REFUSED)
def test_what_is_not_exactly_in_form_is_refused_by_name(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Malformed) as refused:
        _read(pairs)
    assert pairs[-1][0] in refused.value.sentence
    assert DER.hex() not in refused.value.text


@given(st.sampled_from(HEADERS), st.text(max_size=80))
def test_whatever_comes_is_read_or_refused(name: str, value: str) -> None:
    try:
        read = _read([CERT, (name, value)] if name != "Client-Cert" else [(name, value)])
    except Malformed:
        return
    assert read is None or isinstance(read.certificate, x509.Certificate | None)


def test_a_conveyance_shows_no_key_of_a_request() -> None:
    told = Conveyance(statement=Statement("password", "line1", "default"), idempotency_key="key-of-it")
    assert "key-of-it" not in repr(replace(told))
