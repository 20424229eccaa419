"""The status of a Nestor: what is so at this moment, also where much is lost; and no name of a device."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.app.answer import show_time
from nestor.app.closed import ClosedAuthority
from nestor.app.routes import build_routes
from nestor.app.status import Circumstances, read_statistics, renewed_profiles, status_of
from nestor.ca.catalog import build_catalog
from nestor.ca.issuer import fingerprint_of
from nestor.cloud import LinkState
from nestor.errors import MaterialError
from nestor.settings import judge
from support.companions import Module, module
from support.entries import NOON, an_entry

AWAY = Circumstances(NOON, LinkState(connected=False, since=NOON, sentence="edgeHub closed the connection."))


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    async with module(tmp_path / "data") as beside:
        yield beside


async def test_the_status_tells_which_ca_it_is_by_what_portals_show(beside: Module) -> None:
    status = status_of(beside.server, AWAY, None).document()
    (root,) = beside.server.house.authority.ca_certificates()
    assert status["caStatus"]["fingerprint"] == fingerprint_of(root)
    assert status["caStatus"]["expires"] == f"{root.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    assert (status["health"]["ready"], status["health"]["problems"]) == (True, {})
    assert status["startedAt"] == "2026-05-04T12:00:00Z"
    assert "linkStatus" not in status
    assert "issuance" not in status


async def test_a_data_directory_in_danger_is_told(beside: Module) -> None:
    beside.server._ground = replace(beside.server.ground, warnings=("It lies on no volume.",))
    assert status_of(beside.server, AWAY, None).document()["health"]["warnings"] == ["It lies on no volume."]


async def test_a_lost_ca_is_told_with_what_it_was(beside: Module) -> None:
    house = beside.server.house
    lost = ClosedAuthority(MaterialError("The CA's key is gone.", "Restore it."), house.authority.ca_certificates())
    beside.server._house = replace(house, authority=lost)
    told = status_of(beside.server, AWAY, None).ca_status
    assert (told.chain_length, told.problem) == (1, "The CA's key is gone. Restore it.")


async def test_every_route_of_the_settings_is_told_those_that_fail_first(beside: Module, tmp_path: Path) -> None:
    server, to = beside.server, "https://127.0.0.1:8443"
    assert "routeStatus" not in status_of(server, AWAY, None).document()
    document = {"routes": {name: {"path": f"/{name}", "to": to} for name in ("a", "b", "c")}}
    routes = build_routes(judge(document), tmp_path, None, server.ground.clock)
    server._house = replace(server.house, routes=routes)
    server.standings.answered("a", 0.012)
    server.standings.failed("c", "it does not answer in time")
    server.standings.failed("gone", "of settings before")
    told = status_of(server, AWAY, None).document()["routeStatus"]
    now = show_time(server.ground.clock.now())
    assert told == {
        "failing": 1,
        "byName": {
            "c": {"state": "fails", "since": now, "lastError": "it does not answer in time"},
            "a": {"state": "works", "since": now, "latency": 20},
            "b": {"state": "unused", "since": now},
        },
    }
    assert list(told["byName"]) == ["c", "a", "b"]


def test_devices_renew_identities_and_edge_cas_but_neither_servers_nor_what_a_factory_gave_them() -> None:
    assert renewed_profiles(build_catalog({})) == {
        "deviceIdentity",
        "estIdentity",
        "edgeCa",
        "forwarder",
        "layerCa",
    }


async def test_only_what_devices_renew_is_overdue(beside: Module) -> None:
    now, ledger = beside.stage.clock.now(), beside.server.ground.ledger
    life = {"not_before": now - timedelta(days=28), "not_after": now + timedelta(days=2)}
    for profile in ("edgeCa", "bootstrap"):
        await ledger.record(an_entry(profile=profile, issued_at=now, **life), replay=None, one_time=None)
    told = await read_statistics(beside.server)
    assert told
    assert (told.active["bootstrap"], told.active["edgeCa"], told.overdue) == (1, 1, 1)
