"""The way up to the top, from one server: asked live and once for all, within less time than the server below has."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from nestor.app.clock import SystemClock
from nestor.conveyance import MOST_HOPS, Hop
from nestor.est import layers
from nestor.upstream.ascent import LONGEST, Ascent
from nestor.upstream.parent import Parent, Terms
from nestor.upstream.trust import Trust
from support import pki
from support.stub import Heard, Reply, Stub

_NESTOR = {"Server": "Nestor"}
_TOP = Hop("top")


def _reply(*hops: Hop) -> Reply:
    return Reply(200, layers.write(hops), _NESTOR)


async def _climbed(stub: Stub, trust: Trust, place: Path, times: int = 1, left: int = MOST_HOPS) -> Sequence[Hop]:
    """What so many hear who ask at the same time, which is the same."""
    terms = Terms(stub.url, trust, login=("layer3", "0815"))
    parent = Parent(terms, lambda: None, place=place / "kept", clock=SystemClock(), tell=lambda _: None)
    ascent = Ascent("gw3#1", parent, SystemClock(), forwards=True)
    first, *others = await asyncio.gather(*(ascent.climb(["ca"], left, LONGEST) for _ in range(times)))
    assert all(other == first for other in others)
    await parent.close()
    return first


async def test_it_tells_of_itself_and_then_what_its_parent_says(stub: Stub, trust: Trust, tmp_path: Path) -> None:
    stub.answers[layers.PATH] = _reply(_TOP)
    own, top = await _climbed(stub, trust, tmp_path)
    assert (own.server, own.forwards, own.problems) == ("gw3#1", True, ("ca",))
    assert (own.parent, own.reached, own.fault) == (stub.url.removeprefix("https://"), True, "")
    assert top == _TOP
    (heard,) = stub.heard
    assert heard.headers[layers.HOPS_LEFT] == str(MOST_HOPS - 1)
    assert heard.headers["Authorization"].startswith("Basic ")


async def test_of_a_crowd_one_asks(stub: Stub, trust: Trust, tmp_path: Path) -> None:
    def slowly(_: Heard) -> Reply:
        time.sleep(0.1)
        return _reply(_TOP)

    stub.answers[layers.PATH] = slowly
    assert len(await _climbed(stub, trust, tmp_path, times=20)) == 2
    assert len(stub.heard) == 1


async def test_nobody_is_asked_where_none_may_be_asked_any_more(stub: Stub, trust: Trust, tmp_path: Path) -> None:
    (own,) = await _climbed(stub, trust, tmp_path, left=0)
    assert (own.reached, stub.heard) == (None, [])


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(200, b"<html>", _NESTOR), "in a way that cannot be read"),
        (Reply(403, b"Who are you?", {**_NESTOR, "Content-Type": "text/plain"}), "refuses /layers (403): Who are you?"),
        (Reply(500, b"", _NESTOR), "refuses /layers (500)"),
        (Reply(404, b"", _NESTOR), ""),
        (Reply(404, b""), ""),
        (Reply(200, b"<html>"), ""),
    ],
)
async def test_what_a_server_above_says_instead_is_its_hops_fault_and_of_others_nothing_is_expected(
    stub: Stub, trust: Trust, tmp_path: Path, reply: Reply, fault: str
) -> None:
    stub.answers[layers.PATH] = reply
    (own,) = await _climbed(stub, trust, tmp_path)
    assert own.reached
    assert (fault in own.fault) if fault else own.fault == ""


async def test_a_server_that_is_not_believed_is_told_nothing(stub: Stub, tmp_path: Path) -> None:
    (own,) = await _climbed(stub, Trust((pki.authority("Another").certificate,)), tmp_path)
    assert "does not come from a CA that is trusted here" in own.fault
    assert stub.heard == []


async def test_each_server_above_has_less_time_than_the_one_below_it(stub: Stub, trust: Trust, tmp_path: Path) -> None:
    def never(_: Heard) -> Reply:
        time.sleep(2)
        return _reply(_TOP)

    stub.answers[layers.PATH] = never
    begun = time.monotonic()
    (own,) = await _climbed(stub, trust, tmp_path, left=1)
    assert time.monotonic() - begun < 1.9
    assert (own.reached, own.fault) == (False, f"{own.parent} did not answer in time.")


def test_what_is_written_is_read_as_it_was_and_never_more_than_a_request_may_pass() -> None:
    hops = [Hop("low", forwards=True, problems=("ca",), parent="gw4", reached=False, fault="Gone."), _TOP]
    assert layers.read(layers.write(hops)) == tuple(hops)
    endless = json.dumps({"layers": [{"server": "x", "fault": "y" * 10_000}] * 500}).encode()
    read = layers.read(endless)
    assert len(read) == MOST_HOPS + 1
    assert len(read[0].fault) < 1_000


@pytest.mark.parametrize(
    ("said", "left"), [(None, 8), ("3", 3), ("0", 0), ("9999999999", 8), ("-1", 8), ("x", 8), ("٣", 8)]
)
def test_nobody_has_more_servers_asked_than_a_request_may_pass(said: str | None, left: int) -> None:
    assert layers.read_left(said) == left
