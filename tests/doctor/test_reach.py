"""The way to a server."""

import socket

import pytest

from nestor.doctor.address import read_address
from nestor.doctor.reach import judge_lookup, judge_reach, judge_url
from nestor.doctor.seen import Door, Lookup, Place, Reached
from support.talks import has, problems, warnings

_FOUR = Place(socket.AF_INET, "10.0.0.5", 8085)
_SIX = Place(socket.AF_INET6, "fd00::5", 8085)
_ADDRESS = read_address("https://est.plant:8085/.well-known/est")


def test_plain_http_is_a_problem() -> None:
    assert has(problems(judge_url(read_address("http://est.plant/est"))), "is plain HTTP")
    assert judge_url(_ADDRESS) == []


def test_a_name_is_told_with_its_addresses() -> None:
    (told,) = judge_lookup(_ADDRESS, Lookup((_FOUR, _SIX)))
    assert told.sentence == "est.plant is 10.0.0.5 and fd00::5."
    (told,) = judge_lookup(read_address("10.0.0.5"), Lookup((_FOUR,)))
    assert told.sentence == "10.0.0.5 is an address; there is no name to resolve."


def test_a_name_that_stands_for_nothing_is_a_problem() -> None:
    found = judge_lookup(_ADDRESS, Lookup(words="Name or service not known"))
    assert has(problems(found), "The name est.plant cannot be resolved here: Name or service not known.")


@pytest.mark.parametrize(
    ("door", "sentence"),
    [
        (Door.REFUSED, "10.0.0.5 port 8085 refuses"),
        (Door.SILENT, "10.0.0.5 port 8085 does not react"),
        (Door.UNREACHABLE, "10.0.0.5 port 8085 cannot be reached (No route to host)"),
    ],
)
def test_an_address_that_takes_no_connections(door: Door, sentence: str) -> None:
    closed = Reached(_FOUR, door, "No route to host")
    assert has(problems(judge_reach([closed])), sentence)
    beside = judge_reach([closed, Reached(_SIX, Door.OPEN)])
    assert problems(beside) == []
    assert has(warnings(beside), sentence)
