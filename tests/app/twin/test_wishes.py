"""The wishes of a twin over time: the last good one is in force, whatever came after it, and over restarts."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nestor.access.passwords import hash_password
from nestor.app.authority import Source
from nestor.app.clock import SystemClock
from nestor.app.founding import found_root
from nestor.app.welcome import as_events
from nestor.ca.home import CAHome
from nestor.events import Event, Note, SettingsApplied, SettingsRefused, Trouble, Widened
from nestor.twin.kept import FILE
from support.companions import until
from support.wishing import ORIGIN, Module, codes

GRANTED = {"twin": {"names": "gw3"}}
NAMES = {"listener": {"hostnames": "gw3.plant.example"}}
LONGER = {**NAMES, "profiles": {"deviceIdentity": {"lifetime": "7d"}}}
WRONG = {**NAMES, "profiles": {"deviceIdentity": {"lifetime": "soon"}}}
GATEWAYS = {**NAMES, "access": {"gateways": "gw*"}}


def told(module: Module, kind: type[Event]) -> list[Event]:
    return [event for event in module.told if isinstance(event, kind)]


def days(module: Module) -> int:
    return module.server.house.settings.profiles["deviceIdentity"].lifetime.days


async def test_a_module_that_nobody_configured_waits_and_makes_no_ca(data: Path) -> None:
    async with Module(data) as module:
        assert "waits for its settings" in module.server.house.problems()["ca"]
        await module.server.look_for_changes()
        assert "waits for its settings" in (await module.wish({})).refusal
        assert not CAHome(data).was_made


async def test_that_it_waits_is_no_error_yet(data: Path) -> None:
    async with Module(data) as module:
        _, waiting = as_events(module.server.house, [("127.0.0.1", 8085)], data, tutorial=False)
        assert isinstance(waiting, Trouble)
        assert waiting.passing


async def test_a_ca_that_only_the_hub_remembers_is_not_replaced_but_by_hand(data: Path) -> None:
    async with Module(data) as module:
        module.server.remember_authority("ab" * 32)
        await module.wish(NAMES)
        assert "SHA-256 abababababababab..., and nothing of it is left" in module.server.house.problems()["ca"]
        await module.server.look_for_changes()
        assert not CAHome(data).was_made
        found_root(Source(module.server.house.settings, data, SystemClock(), module.told.append))
        await module.server.look_for_changes()
        assert module.server.house.problems() == {}


async def test_a_host_that_says_by_what_to_serve_needs_no_twin_but_a_hub_that_remembers_no_ca(data: Path) -> None:
    async with Module(data, LONGER) as module:
        await module.server.look_for_changes()
        assert "edgeHub" in module.server.house.problems()["ca"]
        assert not CAHome(data).was_made
        outcome = await module.wish({})
        assert (outcome.refusal, outcome.acknowledgements) == ("", {})
        assert module.server.house.problems() == {}
    async with Module(data, LONGER) as module:
        assert module.server.house.problems() == {}


async def test_a_hub_that_remembers_a_ca_keeps_a_new_data_directory_from_another(data: Path) -> None:
    async with Module(data, LONGER) as module:
        module.server.remember_authority("ab" * 32)
        await module.wish({})
        assert "ca" in module.server.house.problems()
        assert not CAHome(data).was_made


async def test_a_first_wish_that_is_refused_leaves_the_host_to_say_by_what_to_serve(data: Path) -> None:
    async with Module(data, LONGER) as module:
        assert (await module.wish(WRONG)).refusal
        await until(lambda: module.server.waiting is None)
        assert module.server.house.problems() == {}
        assert days(module) == 7


async def test_the_first_wish_makes_the_ca_and_is_answered(data: Path) -> None:
    async with Module(data) as module:
        outcome = await module.wish(NAMES)
        assert module.server.house.problems() == {}
        assert outcome.acknowledgements == {"listener": {"value": NAMES["listener"], "ac": 200, "av": 1}}
        assert CAHome(data).was_made


async def test_a_wish_for_nothing_but_defaults_is_a_wish(data: Path) -> None:
    async with Module(data) as module:
        assert (await module.wish({"reporting": {"interval": "60s"}})).refusal == ""
        assert module.server.house.problems() == {}


async def test_what_was_in_force_is_in_force_after_a_start_without_a_hub(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
    async with Module(data) as module:
        assert module.server.house.problems() == {}
        assert days(module) == 7


async def test_a_refused_wish_changes_nothing_and_the_next_good_one_counts(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
        house = module.server.house
        outcome = await module.wish(WRONG)
        assert "profiles.deviceIdentity.lifetime: a duration is" in outcome.refusal
        assert codes(outcome) == {"listener": 200, "profiles": 400}
        assert outcome.acknowledgements["profiles"]["value"] == LONGER["profiles"]
        assert module.server.house is house
        assert [outcome.refusal] == [event.sentence for event in told(module, SettingsRefused)]
    async with Module(data) as module:
        assert days(module) == 7
        await module.wish({**NAMES, "profiles": {"deviceIdentity": {"lifetime": "8d"}}}, version=3)
        assert days(module) == 8


async def test_the_same_document_again_is_answered_and_builds_nothing(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
        house = module.server.house
        outcome = await module.wish(dict(reversed(LONGER.items())))
        assert (outcome.version, codes(outcome)) == (2, {"listener": 200, "profiles": 200})
        assert module.server.house is house
    async with Module(data) as module:
        house = module.server.house
        await module.wish(LONGER, version=2)
        assert module.server.house is house
        assert told(module, SettingsApplied) == []


async def test_of_a_storm_the_last_wish_counts(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(NAMES)
        for minutes in range(1, 1001):
            wish = {**NAMES, "reporting": {"interval": f"{minutes}min"}}
            await module.wishes.desired(wish, 1 + minutes)
            await asyncio.sleep(0)
        while module.outcomes[-1].version <= 1000:
            await module.outcome()
        assert module.server.house.settings.reporting.interval.total_seconds() == 60_000
        assert len(told(module, SettingsApplied)) < 100


async def test_between_two_wishes_there_is_a_pause(data: Path) -> None:
    async with Module(data, pause=0.3) as module:
        await module.wish(NAMES)
        begun = asyncio.get_running_loop().time()
        await module.wish(LONGER)
        assert asyncio.get_running_loop().time() - begun > 0.2


async def test_an_older_version_with_other_content_is_told_and_not_applied(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER, version=9)
        outcome = await module.wish(NAMES, version=8)
        assert "version 8" in outcome.refusal
        assert "version 9" in outcome.refusal
        assert days(module) == 7
        assert (await module.wish(LONGER, version=7)).refusal == ""
    async with Module(data) as module:
        assert "version 9" in (await module.wish(NAMES, version=8)).refusal
        assert (await module.wish(NAMES, version=10)).refusal == ""


@pytest.mark.parametrize("part", ["generation", "hub", "device", "module"])
async def test_another_twin_counts_its_versions_anew_and_the_last_settings_last_until_it_is_heard(
    data: Path, part: str
) -> None:
    async with Module(data) as module:
        await module.wish(LONGER, version=9)
    async with Module(data, origin=replace(ORIGIN, **{part: "another"})) as module:
        assert days(module) == 7
        assert any("another module" in event.sentence for event in told(module, Note) if isinstance(event, Note))
        assert (await module.wish(NAMES, version=1)).refusal == ""
        assert (await module.wish(LONGER, version=2)).refusal == ""


async def test_with_the_file_gone_an_older_version_counts(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER, version=9)
    (data / FILE).unlink()
    async with Module(data) as module:
        assert module.server.waiting is not None
        assert (await module.wish(NAMES, version=8)).refusal == ""


@pytest.mark.parametrize("content", [b"", b"{}", b'{"hub": "h"', b"\x00" * 100])
async def test_a_damaged_file_is_told_and_the_module_waits_for_its_twin(data: Path, content: bytes) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
    (data / FILE).write_bytes(content)
    async with Module(data) as module:
        assert module.server.waiting is not None
        assert [event.about for event in module.told if isinstance(event, Trouble)] == ["twin"]
        await module.wish(LONGER)
        assert module.server.house.problems() == {}
    async with Module(data) as module:
        assert days(module) == 7


async def test_a_wish_that_the_host_allows_is_applied_and_told_wherever_it_is_in_force(data: Path) -> None:
    said = {"twin": {"may": "gateways", "names": "gw*"}}
    async with Module(data, said) as module:
        outcome = await module.wish(GATEWAYS)
        assert module.server.house.settings.access.gateways == ("gw*",)
        assert [event.path for event in module.told if isinstance(event, Widened)] == ["access.gateways"]
        assert outcome.acknowledgements["access"]["ac"] == 200
        assert "widened as the host lets its twin do" in outcome.acknowledgements["access"]["ad"]
        await module.wish({**GATEWAYS, "log": {"format": "json"}})
        assert len(told(module, Widened)) == 1
    async with Module(data, said) as module:
        await module.wish(GATEWAYS, version=3)
        assert len(told(module, Widened)) == 1


async def test_a_host_that_changed_its_mind_closes_the_module_until_a_better_wish(data: Path) -> None:
    async with Module(data, {"twin": {"may": "all"}}) as module:
        await module.wish(GATEWAYS)
    async with Module(data) as module:
        assert "access.gateways" in module.server.house.problems()["ca"]
        assert "access.gateways" in (await module.outcome()).refusal
        assert (await module.wish(NAMES, version=2)).refusal == ""
        assert module.server.house.problems() == {}


async def test_a_host_that_changes_its_mind_while_serving_is_told_and_what_stands_stays(data: Path) -> None:
    async with Module(data, {"twin": {"may": "all"}}) as module:
        await module.wish(GATEWAYS)
        module.said.clear()
        await module.server.reload()
        assert module.server.house.settings.access.gateways == ("gw*",)
        assert any("access.gateways" in event.sentence for event in module.told if isinstance(event, SettingsRefused))


async def test_a_reload_reads_the_wish_again(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
        await module.server.reload()
        assert days(module) == 7


def _user(place: str) -> dict[str, Any]:
    return {**NAMES, "access": {"users": {"gw3": {"passwordHash": place}}}}


async def test_a_wish_whose_file_comes_later_is_applied_when_it_is_there(data: Path) -> None:
    async with Module(data, GRANTED, retry=0.05) as module:
        await module.wish(NAMES)
        assert "access.users.gw3.passwordHash" in (await module.wish(_user("file:gw3.hash"))).refusal
        (data / "gw3.hash").write_text(hash_password("Ludwig-van-9"))
        assert (await module.outcome()).refusal == ""
        assert len(told(module, SettingsRefused)) == 1


async def test_a_start_whose_file_is_gone_waits_for_it_or_for_a_better_wish(data: Path) -> None:
    async with Module(data, GRANTED) as module:
        (data / "gw3.hash").write_text(hash_password("Ludwig-van-9"))
        assert (await module.wish(_user("file:gw3.hash"))).refusal == ""
    content = (data / "gw3.hash").read_text()
    (data / "gw3.hash").unlink()
    async with Module(data, GRANTED, retry=0.05) as module:
        assert "gw3.hash" in module.server.house.problems()["ca"]
        assert "access.users.gw3.passwordHash" in (await module.outcome()).refusal
        (data / "gw3.hash").write_text(content)
        outcome = await module.outcome()
        assert (outcome.refusal, outcome.version) == ("", 1)
        assert module.server.house.problems() == {}
    (data / "gw3.hash").unlink()
    async with Module(data, GRANTED) as module:
        await module.outcome()
        assert (await module.wish(NAMES, version=2)).refusal == ""
        assert module.server.house.problems() == {}


async def test_a_user_by_hash_is_known_at_once(data: Path) -> None:
    async with Module(data, GRANTED) as module:
        hashed = hash_password("Ludwig-van-9")
        outcome = await module.wish(_user(hashed))
        assert outcome.refusal == ""
        assert module.server.house.settings.access.users["gw3"].password_hash.read_text(data) == hashed
        assert hashed not in f"{module.told} {outcome}"


async def test_what_cannot_be_kept_is_in_force_and_told(data: Path) -> None:
    async with Module(data) as module:
        (data / FILE / "in the way").mkdir(parents=True)
        outcome = await module.wish(LONGER)
        assert days(module) == 7
        assert codes(outcome) == {"listener": 200, "profiles": 200}
        assert "could not be kept" in outcome.acknowledgements["listener"]["ad"]
        assert any("could not be kept" in event.sentence for event in module.told if isinstance(event, Trouble))
        (data / FILE / "in the way").rmdir()
        (data / FILE).rmdir()
        assert "ad" not in (await module.wish(LONGER)).acknowledgements["listener"]
        assert (data / FILE).is_file()


async def test_a_fault_of_ours_is_told_as_such_and_changes_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Module(data) as module:
        await module.wish(NAMES)

        async def fail(_: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(module.server, "apply", fail)
        outcome = await module.wish(LONGER)
        assert codes(outcome) == {"listener": 200, "profiles": 500}
        assert "a bug" not in outcome.refusal
        monkeypatch.undo()
        assert (await module.wish(LONGER)).refusal == ""


async def test_what_counts_from_the_next_start_on_is_accepted_and_says_so(data: Path) -> None:
    async with Module(data) as module:
        outcome = await module.wish({**NAMES, "listener": {**NAMES["listener"], "port": 9, "limits": {"wait": "5s"}}})
        assert outcome.acknowledgements["listener"]["ac"] == 200
        assert "listener.port: it counts from the next start" in outcome.acknowledgements["listener"]["ad"]
        assert "listener.limits" in outcome.acknowledgements["listener"]["ad"]
        assert "ad" not in (await module.wish(NAMES)).acknowledgements["listener"]


async def test_what_an_option_goes_over_is_accepted_and_said_to_have_no_effect(data: Path) -> None:
    async with Module(data, over={"listener": {"hostnames": "est.plant.example"}}) as module:
        answer = (await module.wish(NAMES)).acknowledgements["listener"]
        assert (answer["ac"], answer["ad"].split(": ")[0]) == (200, "listener.hostnames")
        assert "it has no effect" in answer["ad"]
        assert module.server.house.settings.listener.hostnames == ("est.plant.example",)


async def test_an_emptied_twin_does_not_end_serving(data: Path) -> None:
    async with Module(data) as module:
        await module.wish(LONGER)
        refusal = (await module.wish({})).refusal
        assert "the last good ones stay in force" in refusal
        assert "waits for" not in refusal
        assert days(module) == 7
    async with Module(data) as module:
        assert days(module) == 7
