"""What headers say of the sender: all of it read, none of it believed, nothing unreadable passed over."""

from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from nestor.errors import Malformed
from nestor.model import ChannelBindings, Credentials
from nestor.web.credentials import read_credentials
from support.device import basic_header
from support.forwarding import hops, in_header, stated
from support.pki import authority

LEAF = authority().issue("pump-1").certificate


class _Peer:
    """Somebody in a TLS session without a certificate."""

    address = "192.0.2.1"
    certificate = None
    chain = ()
    bindings = ChannelBindings()
    secret_bits = 256


def _read(*headers: tuple[str, str], deadline: float | None = None) -> Credentials:
    peer: Any = _Peer()
    return read_credentials(peer, CIMultiDictProxy(CIMultiDict(headers)), moment=100.0, deadline=deadline)


def test_a_plain_request_conveys_nobody() -> None:
    read = _read(("Authorization", basic_header("line1", "pass:word")), ("Accept", "*/*"), deadline=112.0)
    assert (read.user, read.password, read.conveyed, read.deadline) == ("line1", "pass:word", None, 112.0)


def test_what_is_conveyed_stands_beside_what_the_sender_shows() -> None:
    read = _read(("client-cert", in_header(LEAF)), hops("gw1"), ("Authorization", basic_header("line1", "word")))
    assert (read.certificate, read.user) == (None, "line1")
    assert read.conveyed is not None
    assert (read.conveyed.certificate, read.conveyed.hops) == (LEAF, ("gw1",))


def test_the_earlier_of_two_deadlines_counts() -> None:
    assert _read(*stated("a"), ("Nestor-Deadline", "5000"), deadline=112.0).deadline == 105.0
    assert _read(*stated("a"), ("Nestor-Deadline", "50000"), deadline=112.0).deadline == 112.0
    assert _read(*stated("a")).deadline is None


def test_a_second_line_is_not_passed_over() -> None:
    with pytest.raises(Malformed, match="Client-Cert"):
        _read(("Client-Cert", in_header(LEAF)), ("CLIENT-CERT", in_header(LEAF)))


@pytest.mark.parametrize("authorization", ["Bearer abc", "Basic !", "Basic YWJj", "Basic"])
def test_an_authorization_that_is_not_basic_is_as_good_as_none(authorization: str) -> None:
    assert _read(("Authorization", authorization)).user is None
