"""How a certificate is asked for: attributes first, linked where wanted, again where told to wait."""

import base64

import pytest
from cryptography import x509

from nestor.errors import Pending
from nestor.est.csrattrs import CsrAttributes
from nestor.model import KeyType
from nestor.upstream.client import ESTClient
from nestor.upstream.enrollment import patiently, request_own
from nestor.upstream.trust import Trust
from support import shapes
from support.stub import Heard, Reply, Stub, attributes, issuing

_LINK = bytes.fromhex("300b06092a864886f70d010907")


async def _request(stub: Stub, trust: Trust, *, link: bool = False, patience: float = 0) -> x509.Certificate:
    def connect(linkable: bool) -> ESTClient:
        return ESTClient(stub.url, trust, linkable=linkable)

    def compose(wanted: CsrAttributes, binding: str | None) -> bytes:
        assert wanted.key is None or wanted.key.type is KeyType.EC_P256
        return shapes.request("pump-1", attributes=[] if binding is None else [shapes.challenge(binding)]).der

    return await request_own(connect, compose, lambda client, csr: client.enroll(csr), link=link, patience=patience)


def _binding(heard: Heard) -> bytes:
    (attribute,) = heard.csr.attributes
    return base64.b64decode(attribute.value)


@pytest.mark.conformance("CL-13")
async def test_what_the_server_wants_is_asked_first(stub: Stub, trust: Trust) -> None:
    await _request(stub, trust)
    assert [heard.method for heard in stub.heard] == ["GET", "POST"]
    assert list(stub.heard[1].csr.attributes) == []


async def test_a_request_is_linked_where_the_server_wants_it(stub: Stub, trust: Trust) -> None:
    stub.answers["csrattrs"] = attributes(_LINK)
    await _request(stub, trust)
    *_, asked, enrolled = stub.heard
    assert asked.session == enrolled.session
    assert _binding(enrolled) == enrolled.tls_unique


async def test_a_request_is_linked_where_we_want_it(stub: Stub, trust: Trust) -> None:
    await _request(stub, trust, link=True)
    asked, enrolled = stub.heard
    assert asked.session == enrolled.session
    assert _binding(enrolled) == enrolled.tls_unique


def _later(stub: Stub, ca_answer: object, times: int = 1) -> None:
    """Decide only when asked once more."""
    left = [Reply(202, headers={"Retry-After": "1"}, close=True)] * times

    def answer(heard: Heard) -> Reply:
        return left.pop() if left else ca_answer(heard)  # type: ignore[operator]  # what `issuing` made

    stub.answers["simpleenroll"] = answer


@pytest.mark.conformance("CL-10")
async def test_a_server_that_decides_later_hears_the_same_request_again(stub: Stub, trust: Trust, ca: object) -> None:
    _later(stub, issuing(ca))  # type: ignore[arg-type]  # the fixture's CA
    await _request(stub, trust, patience=5)
    first, second = (heard.body for heard in stub.heard if heard.method == "POST")
    assert first == second


@pytest.mark.conformance("CL-12")
async def test_a_linked_request_is_made_anew_for_its_new_session(stub: Stub, trust: Trust, ca: object) -> None:
    _later(stub, issuing(ca))  # type: ignore[arg-type]  # the fixture's CA
    await _request(stub, trust, link=True, patience=5)
    posted = [heard for heard in stub.heard if heard.method == "POST"]
    assert [_binding(heard) for heard in posted] == [heard.tls_unique for heard in posted]
    assert posted[0].tls_unique != posted[1].tls_unique


async def test_without_patience_the_wait_is_told(stub: Stub, trust: Trust) -> None:
    stub.answers["simpleenroll"] = Reply(202, headers={"Retry-After": "600"})
    with pytest.raises(Pending, match="decides later") as pending:
        await _request(stub, trust, patience=30)
    assert pending.value.retry_after == 600


async def test_patience_ends_when_the_next_wait_would_pass_it() -> None:
    asked = 0

    async def attempt() -> None:
        nonlocal asked
        asked += 1
        raise Pending("Later.", retry_after=1)

    with pytest.raises(Pending):
        await patiently(attempt, 1.5)
    assert asked == 2
