"""The layers above a Nestor: the doctor walks up, and names the hop that fails, however far above it is."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nestor.conveyance import MOST_HOPS, Hop
from nestor.doctor.layers import judge_layers
from nestor.est import layers
from nestor.finding import Finding
from support.asking import NOW
from support.foreign import Foreign
from support.layers import PASSWORD, USER, Forwarder, Makers, foreign_upstream, nestor_upstream
from support.server import Server
from support.talks import answered, has, problems, refused, warnings
from support.visiting import Visited, visit

pytestmark = pytest.mark.xdist_group("layers")

_KNOWN = {"NESTOR_EST_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Chain:
    """Three servers, each of which asks the next one."""

    lowest: Forwarder
    middle: Forwarder
    top: Server


@pytest.fixture
def makers(tmp_path: Path) -> Makers:
    return Makers(tmp_path)


@pytest.fixture
def chain(tmp_path: Path, makers: Makers) -> Iterator[Chain]:
    with ExitStack() as stack:
        top = stack.enter_context(Server(tmp_path / "top", makers.listed("middle")))
        above = nestor_upstream(top, _root(top), makers.certify("middle"))
        middle = stack.enter_context(Forwarder(tmp_path / "n1", above, makers.listed("lowest")))
        below = nestor_upstream(middle, _root(middle), makers.certify("lowest"))
        lowest = stack.enter_context(Forwarder(tmp_path / "n2", below))
        lowest.ready()
        yield Chain(lowest, middle, top)


def _at(server: Server) -> str:
    return f"localhost:{server.port}"


def _root(server: Server) -> Path:
    """Its own CA certificate, which is a root."""
    return server.data / "ca" / "certificates.pem"


def _change(server: Server, document: Mapping[str, Any]) -> None:
    """Other settings from the next start on."""
    before = json.loads(server.config.read_text("utf-8"))
    server.config.write_text(json.dumps({**before, **document}), "utf-8")


def _visit(server: Server) -> Visited:
    return visit(server.url, "--cacert", _root(server), "--user", USER, environment=_KNOWN)


def _of_layers(found: Visited) -> list[str]:
    """What is said of the layers, in brief."""
    told = [finding for finding in found.findings if finding["about"] == "layers"]
    return [f"{finding['gravity']}: {finding['sentence']}" for finding in told]


def test_the_doctor_names_the_failing_hop_however_far_above_it_is(chain: Chain, makers: Makers) -> None:
    lowest, middle, top = map(_at, (chain.lowest, chain.middle, chain.top))
    well = _of_layers(_visit(chain.lowest))
    assert has(
        well,
        f"fine: {lowest} is answered by {middle} in ",
        f"fine: {middle} is answered by {top} in ",
        f"fine: {top} asks nobody above it: it is the top.",
    )
    chain.top.stop()
    first, ill = _of_layers(found := _visit(chain.lowest))
    assert first.startswith(f"fine: {lowest} is answered by {middle}")
    assert ill.startswith(f"problem: The hop from {middle} to {top} fails")
    assert f"{top} has nobody listening" in ill
    assert f"Look from {middle} at the way to {top}" in found.problem
    _change(chain.top, makers.listed("somebody-else"))
    chain.top.start()
    first, ill = _of_layers(found := _visit(chain.lowest))
    assert f"The hop from {middle} to {top} fails: {top} refuses /layers (4" in ill
    assert f"compare upstream at {middle} with access at {top}" in found.problem
    chain.middle.kill()
    assert has(_of_layers(_visit(chain.lowest)), f"problem: The hop from {lowest} to {middle} fails")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forwarder, Foreign]]:
    """A forwarder below somebody else's server."""
    place = tmp_path_factory.mktemp("alone")
    with Foreign(place) as above, Forwarder(place / "n1", foreign_upstream(place, above)) as lowest:
        yield lowest.ready(), above


def test_a_stranger_hears_nothing_of_the_layers(alone: tuple[Forwarder, Foreign]) -> None:
    lowest, above = alone
    stranger = lowest.device()
    for asking in (stranger, stranger.but(user=(USER, "guessed"))):
        answer = asking.ask("GET", layers.PATH)
        assert answer.status == 401
        assert above.url.rpartition(":")[2] not in answer.text
    assert lowest.line().ask("POST", layers.PATH).status == 405
    found = _of_layers(visit(lowest.url, "--cacert", _root(lowest)))
    assert found == ["fine: What stands above it, this server tells only somebody whom it knows."]


def test_a_parent_that_is_no_nestor_is_the_last_that_is_known(alone: tuple[Forwarder, Foreign]) -> None:
    lowest, above = alone
    (hop,) = _of_layers(_visit(lowest))
    assert not [heard for heard in above.heard if heard.path == layers.PATH]
    assert hop.startswith(f"fine: {_at(lowest)} is answered by {above.url.removeprefix('https://')} in ")
    assert hop.endswith("what stands above that, it does not tell.")


def test_a_ring_ends_and_is_called_one(tmp_path: Path, makers: Makers) -> None:
    """The smallest there is: a server that is its own parent."""
    ring = Forwarder(tmp_path / "n1", {}, makers.listed("one"))
    ring.point(nestor_upstream(ring, _root(ring), makers.certify("one")))
    ring.command("ca", "init")
    with ring:
        answer = ring.line().ask("GET", layers.PATH)
    assert len(layers.read(answer.body)) == MOST_HOPS + 1
    found = list(judge_layers(answered(200, answer.body), _at(ring)))
    assert has(problems(found), f"The servers go in a ring: {_at(ring)} has been passed before.")


_TOP = Hop("top")
_BELOW = {"parent": "gw4:8085", "reached": True, "since": NOW, "latency": 0.012}


def _judged(*hops: Hop) -> list[Finding]:
    return list(judge_layers(answered(200, layers.write(hops)), "gw3:8085"))


def test_a_server_above_that_does_not_issue_is_named() -> None:
    found = _judged(Hop("low", forwards=True, **_BELOW), Hop("top", problems=("ca", "ledger")))
    assert problems(found) == ["gw4:8085 does not issue (ca and ledger)."]


def test_a_parent_that_is_away_is_told_once_and_not_of_all_who_wait_for_it() -> None:
    away = Hop("mid", forwards=True, problems=("upstream",), parent="gw5:8085", reached=False, since=NOW, fault="Gone.")
    found = _judged(Hop("low", forwards=True, **_BELOW), away)
    assert has(problems(found), "The hop from gw4:8085 to gw5:8085 fails since ")


def test_above_a_ca_of_its_own_a_failing_hop_is_a_warning() -> None:
    away = Hop("low", parent="gw4:8085", reached=False, since=NOW, fault="gw4:8085 cannot be reached.")
    found = _judged(away)
    assert (problems(found), len(warnings(found))) == ([], 1)
    assert "Until it is mended, CAs below are not renewed." in warnings(found)[0]


def test_more_servers_than_a_request_may_pass_are_too_many() -> None:
    hops = [Hop(f"n{number}", forwards=True, **_BELOW) for number in range(MOST_HOPS)]
    found = _judged(*hops, Hop("last", forwards=True, parent="gw9:8085"))
    assert has(problems(found), f"there are more servers than {MOST_HOPS}")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"layers": 5}', b'{"layers": [{}]}', b"[" * 100_000])
def test_what_cannot_be_read_is_a_warning(body: bytes) -> None:
    assert has(warnings(list(judge_layers(answered(200, body), "gw3"))), "cannot be read")


def test_no_word_at_all_is_a_warning() -> None:
    assert has(warnings(list(judge_layers(refused(80), "gw3"))), "does not tell what stands above it")


def test_what_a_server_tells_cannot_steer_a_terminal_nor_fill_it() -> None:
    shown = Hop("low", forwards=True, parent="gw4:8085", reached=True, fault="\x1b[2J" + "x" * 10_000)
    (sentence,) = problems(_judged(shown))
    assert sentence.isprintable()
    assert len(sentence) < 500
    assert len(_judged(*[_TOP] * 50)) <= MOST_HOPS + 1
