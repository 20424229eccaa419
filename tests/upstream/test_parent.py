"""The server above, as it is asked: the first contact holds nobody up for longer than they have."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nestor.app.clock import SystemClock
from nestor.errors import ParentAway, ParentSilent
from nestor.upstream.breaker import MOST_FAILURES
from nestor.upstream.client import Sending
from nestor.upstream.parent import Parent, Terms
from nestor.upstream.settings import PLAIN
from nestor.upstream.trust import Trust
from support import pki
from support.server import free_port
from support.stub import Heard, Reply, Stub, certs_only

_CROWD = 4
_WITHIN = 0.3


async def test_whoever_waits_for_the_first_contact_waits_no_longer_than_they_have(tmp_path: Path) -> None:
    held: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(silent, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        terms = Terms(f"https://127.0.0.1:{port}", trust=None, fingerprint="00" * 32)
        parent = Parent(terms, lambda: None, place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
        asked = [
            parent.ask("default", lambda client, how: client.cacerts(how), Sending(within=_WITHIN))
            for _ in range(_CROWD)
        ]
        async with asyncio.timeout(_WITHIN * _CROWD):
            answers = await asyncio.gather(*asked, return_exceptions=True)
        for writer in held:
            writer.close()
    assert [type(answer) for answer in answers] == [ParentAway] * _CROWD


def _parent(stub: Stub, trust: Trust, place: Path, *labels: str) -> Parent:
    terms = Terms(stub.url, trust, labels={label: label for label in labels})
    return Parent(terms, lambda: None, place=place / "kept", clock=SystemClock(), tell=lambda _: None)


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
    parent = Parent(terms, lambda: None, place=tmp_path / "kept", clock=SystemClock(), tell=lambda _: None)
    for _ in range(MOST_FAILURES):
        with pytest.raises(ParentAway):
            await parent.ask(PLAIN, lambda client, how: client.cacerts(how), Sending(within=0.5))
    assert parent.state.reached is False
    await parent.close()
