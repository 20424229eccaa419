"""The server above, as it is asked: the first contact holds nobody up for longer than they have."""

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nestor.app.clock import SystemClock
from nestor.errors import NestorError, NotKnownAbove, ParentAway, ParentSilent, ParentUnusable, Unauthenticated
from nestor.est.conveying import FORWARDER, REFUSED
from nestor.upstream.breaker import MOST_FAILURES
from nestor.upstream.client import Sending
from nestor.upstream.identity import Badge
from nestor.upstream.parent import Parent, Terms
from nestor.upstream.settings import PLAIN
from nestor.upstream.trust import Trust
from support import asking, pki
from support.server import free_port
from support.stages import TurnedClock
from support.stub import Heard, Reply, Stub, certs_only

_CROWD = 4
_WITHIN = 0.3


async def test_whoever_waits_for_the_first_contact_waits_no_longer_than_they_have(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        terms = Terms(f"https://127.0.0.1:{silent.getsockname()[1]}", trust=None, fingerprint="00" * 32)
        parent = Parent(terms, Badge(lambda: None), place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
        asked = [
            parent.ask("default", lambda client, how: client.cacerts(how), Sending(within=_WITHIN))
            for _ in range(_CROWD)
        ]
        async with asyncio.timeout(_WITHIN * _CROWD):
            answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ParentAway] * _CROWD


def _parent(stub: Stub, trust: Trust, place: Path, *labels: str) -> Parent:
    terms = Terms(stub.url, trust, labels={label: label for label in labels})
    return Parent(terms, Badge(lambda: None), place=place / "kept", clock=SystemClock(), tell=lambda _: None)


def _slowly(reply: Reply) -> Callable[[Heard], Reply]:
    def answer(_: Heard) -> Reply:
        time.sleep(_WITHIN * 0.6)
        return reply

    return answer


async def test_a_crowd_that_needs_its_certificates_anew_asks_for_them_once(
    stub: Stub, trust: Trust, tmp_path: Path
) -> None:
    parent = _parent(stub, trust, tmp_path)
    await asyncio.gather(*(parent.refresh_together(5) for _ in range(_CROWD)))
    assert [heard.path.rpartition("/")[2] for heard in stub.heard] == ["cacerts"]
    assert parent.certificates
    await parent.close()


async def test_asking_for_everything_anew_takes_no_longer_than_there_is_time(
    stub: Stub, trust: Trust, ca: pki.CA, tmp_path: Path
) -> None:
    parent = _parent(stub, trust, tmp_path, "one", "two")
    stub.answers["cacerts"] = _slowly(certs_only(ca.certificate))
    stub.answers["one/csrattrs"] = stub.answers["two/csrattrs"] = _slowly(Reply(204))
    with pytest.raises(ParentSilent):
        await parent.refresh(_WITHIN)
    await parent.close()


_AS_ANOTHER = Sending(headers=[("Nestor-Requester", 'method="password"')], spki=b"its key")


async def _enroll(parent: Parent) -> object:
    return await parent.ask("default", lambda client, how: client.enroll(asking.csr("gw-1").der, how), _AS_ANOTHER)


async def test_nothing_is_sent_while_there_is_no_certificate_to_show(stub: Stub, trust: Trust, tmp_path: Path) -> None:
    missing: list[NestorError] = [Unauthenticated("est refuses simpleenroll (401): No. (request 1a)", "Check.")]
    badge = Badge(lambda: None, lambda: missing[0] if missing else None)
    terms = Terms(stub.url, trust, labels={"default": "default"})
    parent = Parent(terms, badge, place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
    await parent.refresh(5)
    with pytest.raises(NotKnownAbove) as told:
        await _enroll(parent)
    sentence = "This server has no certificate yet for the server above: est refuses simpleenroll (401): No."
    assert told.value.sentence == sentence
    assert told.value.hint.startswith("It is not about this device: ")
    assert told.value.hint.endswith(" (request 1a)")
    assert parent.problem() == told.value.text
    assert [heard.method for heard in stub.heard] == ["GET"] * len(stub.heard)
    missing.clear()
    assert parent.problem() is None
    await parent.close()


async def test_it_is_not_ready_while_it_is_not_let_in_and_ready_as_soon_as_it_is_or_nobody_knows(
    stub: Stub, trust: Trust, tmp_path: Path
) -> None:
    clock = TurnedClock()
    terms = Terms(stub.url, trust, labels={"default": "default"})
    parent = Parent(terms, Badge(lambda: None), place=tmp_path / "kept", clock=clock, tell=lambda _: None)
    await parent.refresh(5)

    async def refused() -> None:
        stub.answers["simpleenroll"] = Reply(403, b"It was revoked. (request 1a)", {REFUSED: FORWARDER})
        with pytest.raises(ParentUnusable) as told:
            await _enroll(parent)
        assert "not about this device" in told.value.hint
        assert "(403): It was revoked. It is this server that is not let in" in (parent.problem() or "")

    await refused()
    stub.answers["simpleenroll"] = Reply(403, b"gw-1 is not granted.")
    with pytest.raises(NestorError):
        await _enroll(parent)
    assert parent.problem() is None, "whoever judges others let it in"
    await refused()
    clock.ahead += 400
    assert parent.problem() is None, "nobody knows any more"
    await parent.close()


async def test_who_has_no_time_for_an_answer_does_not_keep_the_others_from_asking(
    stub: Stub, trust: Trust, ca: pki.CA, tmp_path: Path
) -> None:
    """A forwarder says how much time there is, and whoever is known here how many layers may be asked."""
    parent = _parent(stub, trust, tmp_path)
    stub.answers["cacerts"] = _slowly(certs_only(ca.certificate))
    for _ in range(MOST_FAILURES):
        with pytest.raises((ParentAway, ParentSilent)):
            await parent.ask(PLAIN, lambda client, how: client.cacerts(how), Sending(within=0.05))
    assert await parent.ask(PLAIN, lambda client, how: client.cacerts(how), Sending(within=5))
    await parent.close()


async def test_where_nobody_listens_that_is_known_however_little_time_there_was(trust: Trust, tmp_path: Path) -> None:
    terms = Terms(f"https://localhost:{free_port()}", trust)
    parent = Parent(terms, Badge(lambda: None), place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
    for _ in range(MOST_FAILURES):
        with pytest.raises(ParentAway):
            await parent.ask(PLAIN, lambda client, how: client.cacerts(how), Sending(within=0.5))
    assert parent.state.reached is False
    await parent.close()
