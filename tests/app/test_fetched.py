"""A server certificate of the IoT Edge runtime: fetched, kept, renewed in time, and exchanged after the Edge CA was."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from nestor.app.authority import Source
from nestor.app.certificate import own_hosts
from nestor.app.known import known_server
from nestor.app.server import Server
from nestor.errors import SettingsError, Unavailable
from nestor.events import Trouble
from support import pki
from support.edge_hosts import MemoryHost
from support.issuing import DAY, HandClock
from support.stages import Stage

LOOK = timedelta(minutes=5)
WORKLOAD = {"listener": {"hostnames": "gw3.plant.example", "serverCertificate": {"source": "workload"}}}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(pki.yesterday() + DAY)


@pytest.fixture
def host(clock: HandClock) -> MemoryHost:
    return MemoryHost(clock)


@pytest.fixture
async def stage(tmp_path: Path, clock: HandClock, host: MemoryHost) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    stage.document = dict(WORKLOAD)
    stage.plan = replace(stage.plan, clock=clock, edge=host.edge)
    yield stage
    await stage.close()


async def _again(stage: Stage) -> Server:
    await stage.close()
    return await stage.start()


async def _look(server: Server, clock: HandClock) -> None:
    """Let the time of one look pass."""
    clock.pass_by(LOOK)
    await server.look_after_fetched_certificate()


def _shown(server: Server) -> x509.Certificate:
    return server.house.identity.certificate


def _told(stage: Stage) -> list[str]:
    return [one.sentence for one in stage.told if isinstance(one, Trouble) and one.about == "server certificate"]


def _mode(place: Path) -> int:
    return place.stat().st_mode & 0o777


async def test_it_is_shown_with_its_chain_as_it_was_given(stage: Stage, host: MemoryHost) -> None:
    server = await stage.start()
    chain = server.house.identity.chain
    assert chain[1:] == (host.runtime.edge_ca.certificate,)
    chain[0].verify_directly_issued_by(chain[1])
    assert server.house.problems() == {}
    assert _told(stage) == []
    assert _mode(stage.data / "runtime-key.pem") == 0o600


async def test_a_start_asks_for_none_where_one_is_kept(stage: Stage, host: MemoryHost) -> None:
    before = _shown(await stage.start())
    host.mood.calls.clear()
    assert _shown(await _again(stage)) == before
    assert host.mood.calls == []


async def test_the_last_one_is_shown_while_the_runtime_is_away(
    stage: Stage, host: MemoryHost, clock: HandClock
) -> None:
    before = _shown(await stage.start())
    host.mood.away = True
    server = await _again(stage)
    await _look(server, clock)
    assert _shown(server) == before
    assert _told(stage) == []


async def test_it_is_renewed_at_two_thirds_of_its_life(stage: Stage, clock: HandClock) -> None:
    server = await stage.start()
    before = _shown(server)
    clock.pass_by(19.9 * DAY)
    await _look(server, clock)
    assert _shown(server) == before
    clock.pass_by(0.2 * DAY)
    await _look(server, clock)
    assert _shown(server).not_valid_after_utc > before.not_valid_after_utc
    assert _shown(await _again(stage)) == _shown(server)


async def test_a_renewal_that_fails_is_told_and_tried_again(stage: Stage, host: MemoryHost, clock: HandClock) -> None:
    server = await stage.start()
    before = _shown(server)
    clock.pass_by(21 * DAY)
    host.mood.away = True
    for _ in range(2):
        with pytest.raises(Unavailable, match="No new one can be had"):
            await _look(server, clock)
    assert _shown(server) == before
    host.mood.away = False
    await _look(server, clock)
    assert _shown(server) != before


async def test_a_new_edge_ca_is_noticed(stage: Stage, host: MemoryHost, clock: HandClock) -> None:
    server = await stage.start()
    await _look(server, clock)
    before = _shown(server)
    host.runtime.renew_edge_ca()
    await server.look_after_fetched_certificate()
    assert _shown(server) == before, "the trust bundle is looked at every five minutes"
    await _look(server, clock)
    assert server.house.identity.chain[1] == host.runtime.edge_ca.certificate


async def test_an_edge_ca_that_was_renewed_meanwhile_is_noticed_by_the_first_look(
    stage: Stage, host: MemoryHost, clock: HandClock
) -> None:
    await stage.start()
    host.runtime.renew_edge_ca()
    server = await _again(stage)
    await server.look_after_fetched_certificate()
    assert server.house.identity.chain[1] == host.runtime.edge_ca.certificate


async def test_a_trust_bundle_without_the_edge_ca_asks_for_one_certificate_and_not_for_ever(
    stage: Stage, host: MemoryHost, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = [pki.authority("Something else").certificate]

    async def other() -> list[x509.Certificate]:
        return bundle

    monkeypatch.setattr(host.runtime, "trust_bundle", other)
    server = await stage.start()
    for _ in range(4):
        await _look(server, clock)
    assert host.mood.calls.count("certificate") == 2


async def test_none_is_fetched_that_would_not_last_longer(stage: Stage, host: MemoryHost, clock: HandClock) -> None:
    server = await stage.start()
    identity = server.house.identity
    assert identity.is_due(clock.now() + 21 * DAY)
    last = replace(identity, chain=(identity.certificate, identity.certificate))
    assert not last.is_due(clock.now() + 21 * DAY), "it ends with what is above it"


async def test_where_none_could_be_had_yet_the_first_one_is_shown_as_soon_as_there_is_one(
    stage: Stage, host: MemoryHost, clock: HandClock
) -> None:
    host.mood.away = True
    server = await stage.start()
    assert "cannot issue" in _shown(server).subject.rfc4514_string()
    assert list(server.house.problems()) == ["server certificate"]
    assert server.ground.pinned is not None, "its CA is well"
    with pytest.raises(Unavailable, match="nobody trusts the one that is shown"):
        await server.look_after_fetched_certificate()
    host.mood.away = False
    clock.pass_by(timedelta(seconds=30))
    await server.look_after_fetched_certificate()
    assert server.house.problems() == {}
    assert server.house.identity.chain[1] == host.runtime.edge_ca.certificate


async def test_one_that_ended_while_nestor_was_off_is_exchanged_at_the_start(stage: Stage, clock: HandClock) -> None:
    before = _shown(await stage.start())
    clock.pass_by(31 * DAY)
    assert _shown(await _again(stage)) != before


async def test_one_for_another_name_of_the_device_is_exchanged(stage: Stage, host: MemoryHost) -> None:
    await stage.start()
    stage.plan = replace(stage.plan, edge=replace(host.edge, name="gw4.plant.example"))
    server = await _again(stage)
    assert "gw4.plant.example" in own_hosts(_source(stage, server))


def _source(stage: Stage, server: Server) -> Source:
    return Source(server.house.settings, stage.data, stage.plan.clock, stage.told.append)


async def test_names_that_it_does_not_cover_are_told_of(stage: Stage) -> None:
    stage.document = {"listener": {**WORKLOAD["listener"], "hostnames": "GW3.plant.example, 10.3.0.7, localhost"}}
    await stage.start()
    (sentence,) = _told(stage)
    assert "for gw3.plant.example, nestor alone; who comes by 10.3.0.7 refuses it" in sentence


async def test_its_names_are_this_servers_own_also_for_other_processes(stage: Stage) -> None:
    server = await stage.start()
    assert own_hosts(_source(stage, server)) == ["gw3.plant.example", "nestor"]
    assert server.house.authority._own.has("nestor")  # type: ignore[union-attr] -- the local one
    assert "nestor" in known_server(_source(stage, server)).names


async def test_nobody_is_let_in_for_the_sake_of_the_trust_bundle(stage: Stage, host: MemoryHost) -> None:
    server = await stage.start()
    assert not server.house.gates[0].anchors


async def test_without_iot_edge_it_is_refused_with_a_sentence(stage: Stage) -> None:
    stage.plan = replace(stage.plan, edge=None)
    with pytest.raises(SettingsError, match="workload needs the IoT Edge runtime"):
        await stage.start()


async def test_settings_change_from_one_source_to_the_other_and_back(stage: Stage, host: MemoryHost) -> None:
    server = await stage.start()
    stage.document = {"listener": {"hostnames": "gw3.plant.example"}}
    await server.reload()
    _shown(server).verify_directly_issued_by(server.house.authority.ca_certificates()[0])
    host.mood.calls.clear()
    await server.look_after_fetched_certificate()
    assert host.mood.calls == []
    stage.document = dict(WORKLOAD)
    await server.reload()
    assert server.house.identity.chain[1] == host.runtime.edge_ca.certificate


async def test_a_certificate_that_tls_does_not_take_is_not_kept_and_keeps_no_start(
    stage: Stage, host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = host.runtime.edge_ca.issue(
        "gw3.plant.example",
        key=rsa.generate_private_key(65537, 1024),
        alternative_names=["gw3.plant.example"],
        client=False,
        server=True,
    )

    async def issue(common_name: str) -> tuple[list[x509.Certificate], object]:
        return [weak.certificate, host.runtime.edge_ca.certificate], weak.key

    monkeypatch.setattr(host.runtime, "server_certificate", issue)
    server = await stage.start()
    assert server.house.identity.makeshift
    monkeypatch.undo()
    await server.look_after_fetched_certificate()
    assert not server.house.identity.makeshift
