"""Reports to a hub in memory: figures once an interval, acknowledgements soon, nothing twice, right after an outage."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nestor.app import reporting
from nestor.app.closed import ClosedAuthority
from nestor.document import merge
from nestor.errors import CannotIssue, Unavailable
from nestor.events import SettingsRefused, Trouble
from nestor.ledger.sqlite import SQLiteLedger
from nestor.twin.legal import size
from support.companions import Module, module, until
from support.entries import an_entry

SOON = {"reporting": {"interval": "1s"}}
IN_FORCE = {"listener": {"value": 4, "ac": 200, "av": 4, "ad": "In force."}}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_GATHERING", 0.02)


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[Module]:
    """A module that reports figures seldom."""
    async with module(tmp_path / "data") as beside:
        yield beside


@pytest.fixture
async def eager(tmp_path: Path) -> AsyncIterator[Module]:
    """A module that reports figures every second."""
    async with module(tmp_path / "data", SOON) as eager:
        yield eager


async def issue(beside: Module, device: str = "pump-1") -> None:
    ledger = beside.server.ground.ledger
    assert isinstance(ledger, SQLiteLedger)
    now = beside.stage.clock.now()
    await ledger.record(an_entry(device, issued_at=now, not_before=now), replay=None, one_time=None)


def told(beside: Module, section: str) -> list[Any]:
    """What each patch said of a section, where it said anything."""
    return [patch[section] for patch in beside.hub.patches if section in patch]


async def test_a_first_report_tells_everything(beside: Module) -> None:
    await issue(beside)
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    held = beside.hub.reported
    assert held["issuance"]["byProfile"] == {"deviceIdentity": 1, "ownServer": 1}
    assert held["issuance"]["last24Hours"] == 2
    assert held["caStatus"]["chainLength"] == 1
    assert held["health"] == {"ready": True}
    assert held["linkStatus"]["connectedSince"] == f"{beside.hub.link.since:%Y-%m-%dT%H:%M:%SZ}"
    assert held["listenerStatus"]["serverCertificate"]["source"] == "issued"
    assert "pump-1" not in str(held)
    assert size(held) < 2048


async def test_nothing_is_told_twice(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    for _ in range(5):
        await beside.hub.reread()
        beside.reporter.acknowledge({})
        await asyncio.sleep(0.05)
    assert len(beside.hub.patches) == 1


async def test_figures_are_told_once_in_an_interval(eager: Module) -> None:
    await eager.hub.connect(eager)
    await until(lambda: told(eager, "issuance"))
    began = asyncio.get_running_loop().time()
    for number in range(20):
        await issue(eager, f"pump-{number}")
        eager.reporter.acknowledge({"listener": {"value": number, "ac": 200, "av": number, "ad": ""}})
        await asyncio.sleep(0.05)
    await until(lambda: len(told(eager, "issuance")) > 1)
    assert asyncio.get_running_loop().time() - began > 0.9
    await until(lambda: eager.hub.reported["issuance"]["total"] == 21)
    assert len(told(eager, "issuance")) <= 3


async def test_an_acknowledgement_is_told_within_a_second_and_alone(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    async with asyncio.timeout(1):
        beside.reporter.acknowledge(IN_FORCE)
        await until(lambda: len(beside.hub.patches) > 1)
    assert beside.hub.patches[-1] == IN_FORCE


async def test_an_acknowledgement_that_is_not_given_any_more_is_taken_back(beside: Module) -> None:
    beside.reporter.acknowledge(IN_FORCE)
    await beside.hub.connect(beside)
    await until(lambda: "listener" in beside.hub.reported)
    beside.reporter.acknowledge({})
    await until(lambda: "listener" not in beside.hub.reported)
    assert beside.hub.patches[-1] == {"listener": None}


async def test_what_happened_in_an_outage_is_told_after_it(eager: Module) -> None:
    await eager.hub.connect(eager)
    await until(lambda: eager.hub.patches)
    eager.hub.go_away()
    await issue(eager)
    eager.reporter.acknowledge(IN_FORCE)
    await asyncio.sleep(0.1)
    await eager.hub.come_back()
    await until(lambda: eager.hub.reported.get("listener") == IN_FORCE["listener"])
    await until(lambda: eager.hub.reported["issuance"]["total"] == 2)


async def test_a_link_that_is_back_is_enough_to_go_on(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    beside.hub.go_away()
    beside.reporter.acknowledge(IN_FORCE)
    await asyncio.sleep(0.1)
    beside.hub._tell(replace(beside.hub.link, connected=True))  # and the twin is not read again
    await until(lambda: "listener" in beside.hub.reported)


async def test_a_hub_that_holds_something_else_is_led_to_what_is_so(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    right = beside.hub.reported
    beside.hub.reported = {
        "layerOfOld": {"a": 1},
        "issuance": {"total": 99, "byProfile": {"gone": 98, "ownServer": 1}},
        "caStatus": right["caStatus"],
    }
    await beside.hub.reread()
    await until(lambda: beside.hub.reported == right)


async def test_a_hub_with_more_than_one_patch_holds_is_cleared_in_parts(beside: Module) -> None:
    beside.hub.reported = {f"key{at}": 1 for at in range(2500)}
    await beside.hub.connect(beside)
    await until(lambda: "issuance" in beside.hub.reported and "key0" not in beside.hub.reported)
    assert max(map(size, beside.hub.patches)) <= 16 * 1024


async def test_a_patch_without_an_answer_is_doubted_and_its_matter_told_again(
    beside: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    take = beside.hub.report

    async def take_without_a_word(patch: Any) -> None:
        await take(patch)
        raise Unavailable("No answer came.")

    monkeypatch.setattr(beside.hub, "report", take_without_a_word)
    beside.reporter.acknowledge(IN_FORCE)
    await until(lambda: "listener" in beside.hub.reported)
    monkeypatch.setattr(beside.hub, "report", take)
    beside.reporter.acknowledge({})  # what is not known to have arrived has to go all the same
    await until(lambda: "listener" not in beside.hub.reported)


async def test_nothing_is_told_before_it_is_known_what_the_hub_holds(beside: Module) -> None:
    beside.reporter.acknowledge(IN_FORCE)
    await asyncio.sleep(0.1)
    assert beside.hub.patches == []


async def test_refused_settings_are_told_until_some_are_applied(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    beside.server.ground.tell(SettingsRefused("listener.port: it has to be a whole number."))
    await until(lambda: "lastRefusedSettings" in beside.hub.reported)
    assert "listener.port" in beside.hub.reported["lastRefusedSettings"]["sentence"]
    await beside.server.reload()
    await until(lambda: "lastRefusedSettings" not in beside.hub.reported)


async def test_refused_settings_are_forgotten_when_the_twin_says_again_what_is_in_force(beside: Module) -> None:
    await beside.hub.connect(beside)
    beside.server.ground.tell(SettingsRefused("listener.port: it has to be a whole number."))
    beside.reporter.acknowledge(IN_FORCE, refused=True)
    await until(lambda: "lastRefusedSettings" in beside.hub.reported)
    beside.reporter.acknowledge(IN_FORCE)
    await until(lambda: "lastRefusedSettings" not in beside.hub.reported)


async def test_a_shorter_interval_counts_at_once(beside: Module) -> None:
    await beside.hub.connect(beside)
    await until(lambda: beside.hub.patches)
    await issue(beside)
    beside.stage.document = SOON
    await beside.server.reload()
    await until(lambda: beside.hub.reported["issuance"]["total"] == 2)


async def test_a_ledger_that_cannot_be_read_leaves_the_last_figures_and_is_told(eager: Module) -> None:
    await eager.hub.connect(eager)
    await until(lambda: eager.hub.patches)
    before = eager.hub.reported["issuance"]
    (eager.stage.data / "ledger.db").rename(eager.stage.data / "aside.db")
    await until(lambda: "ledger" in eager.hub.reported["health"].get("problems", {}))
    assert eager.hub.reported["health"]["ready"] is False
    assert eager.hub.reported["issuance"] == before


async def test_a_new_data_directory_learns_which_ca_there_was_and_does_not_forget_it(tmp_path: Path) -> None:
    async with module(tmp_path / "first") as first:
        await first.hub.connect(first)
        await until(lambda: first.hub.patches)
        held = first.hub.reported
    async with module(tmp_path / "second") as second:
        second.server._house = _without_ca(second)
        second.hub.reported = held
        await second.hub.connect(second)
        assert second.reporter.authority_held == held["caStatus"]["fingerprint"]
        await until(lambda: second.hub.patches)
        assert merge(held, second.hub.patches[-1])["caStatus"]["fingerprint"] == held["caStatus"]["fingerprint"]
        assert "problem" in second.hub.reported["caStatus"]


def _without_ca(beside: Module) -> Any:
    return replace(beside.server.house, authority=ClosedAuthority(CannotIssue("It waits for settings."), ()))


@pytest.mark.parametrize("odd", [{"a": 1}, 5, ["x"], None])
async def test_what_a_hub_holds_in_the_place_of_a_fingerprint_is_none(beside: Module, odd: object) -> None:
    await beside.reporter.hold({"caStatus": {"fingerprint": odd}})
    assert beside.reporter.authority_held is None


async def test_a_data_directory_with_another_ca_than_the_cloud_knows_is_told(beside: Module) -> None:
    ours, others = beside.server.ground.pinned, "ab" * 32
    assert ours
    beside.server.remember_authority(ours)
    assert [event for event in beside.stage.told if isinstance(event, Trouble) and event.about == "ca"] == []
    beside.server.remember_authority(others)
    (told,) = [event.sentence for event in beside.stage.told if isinstance(event, Trouble) and event.about == "ca"]
    assert ours in told
    assert others in told
    assert beside.server.ground.pinned == ours
