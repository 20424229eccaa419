"""Houses: built whole from settings, swapped whole, and honest about what is lost."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.errors import CannotIssue, NestorError
from nestor.events import SettingsApplied, SettingsRefused, Trouble
from nestor.ledger.sqlite import SQLiteLedger
from support.stages import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    yield stage
    await stage.close()


async def test_a_first_start_makes_a_ca_and_a_server_certificate_and_issues(stage: Stage) -> None:
    house = (await stage.open()).house
    assert house.problems() == {}
    leaf, root = house.identity.chain
    leaf.verify_directly_issued_by(root)


async def test_a_second_start_finds_the_same_ca_and_the_same_server_certificate(stage: Stage) -> None:
    first = (await stage.open()).house.identity.chain
    await stage.close()
    assert (await stage.open()).house.identity.chain == first


async def test_other_names_get_another_server_certificate(stage: Stage) -> None:
    first = (await stage.open()).house.identity
    await stage.close()
    stage.document = {"listener": {"hostnames": "gw3.plant.example"}}
    second = (await stage.open()).house.identity
    assert second.certificate != first.certificate
    assert second.chain[1] == first.chain[1]


async def test_a_server_certificate_is_due_after_two_thirds_of_its_life(stage: Stage) -> None:
    identity = (await stage.open()).house.identity
    now = datetime.now(UTC)  # noqa: TID251 -- against the system clock of the house
    assert not identity.is_due(now + timedelta(days=59))
    assert identity.is_due(now + timedelta(days=61))


async def test_settings_that_hold_replace_the_house(stage: Stage) -> None:
    server = await stage.open()
    before = server.house
    stage.document = {"access": {"gateways": "gw*"}}
    await server.reload()
    assert server.house is not before
    assert stage.told[-1] == SettingsApplied(stage.read().revision)


@pytest.mark.parametrize(
    "document",
    [
        {"nonsense": 1},
        {"labels": {"simpleenroll": {}}},
        {"profiles": {"deviceIdentity": {"keys": "dsa"}}},
        {"access": {"bootstrap": {"maker": {"anchors": "file:nowhere.pem"}}}},
        {"access": {"users": {"u": {"passwordHash": "env:NESTOR_NOT_SET"}}}},
        {"labels": {"a": {"serverKeyGeneration": {"keyEncryptionKeys": {"k": "file:nowhere"}}}}},
        {"ca": {"source": "file"}},
    ],
)
async def test_settings_that_do_not_hold_change_nothing_and_are_told(stage: Stage, document: dict[str, Any]) -> None:
    server = await stage.open()
    before = server.house
    stage.document = document
    await server.reload()
    assert server.house is before
    assert isinstance(stage.told[-1], SettingsRefused)


async def test_a_named_file_that_changes_reloads_the_house(stage: Stage, tmp_path: Path) -> None:
    server = await stage.open()
    before = server.house
    await server.look_for_changes()
    assert server.house is before
    (stage.data / "users.json").write_text('{"users": {}}')
    await server.look_for_changes()
    assert server.house is not before


@pytest.mark.parametrize("lost", ["ca/key.pem", "ca/certificates.pem", "ca", "ledger.db"])
async def test_what_is_lost_is_never_made_anew_and_nothing_is_issued(stage: Stage, lost: str) -> None:
    await stage.open()
    await stage.close()
    place = stage.data / lost
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    house = (await stage.open()).house
    assert house.problems()
    assert not place.exists()


async def test_a_lost_key_leaves_the_last_ca_certificates_to_be_shown(stage: Stage) -> None:
    shown = (await stage.open()).house.authority.ca_certificates()
    await stage.close()
    (stage.data / "ca" / "key.pem").unlink()
    house = (await stage.open()).house
    assert list(house.authority.ca_certificates()) == list(shown)
    assert "key" in house.problems()["ca"]


async def test_a_ledger_that_comes_back_is_taken_up_again(stage: Stage) -> None:
    await stage.open()
    await stage.close()
    kept = stage.data.with_name("kept.db")
    (stage.data / "ledger.db").rename(kept)
    server = await stage.open()
    assert "ledger" in server.house.problems()
    kept.rename(stage.data / "ledger.db")
    await server.look_for_changes()
    assert server.house.problems() == {}
    await server.close()


async def test_a_lost_ledger_lets_nobody_in_by_certificate(stage: Stage) -> None:
    await stage.open()
    await stage.close()
    (stage.data / "ledger.db").unlink()
    await stage.open()
    with pytest.raises(CannotIssue):
        await stage.grounds[0].ledger.find(b"")


async def test_a_data_directory_that_cannot_be_made_is_told(stage: Stage) -> None:
    stage.data.write_text("a file")
    with pytest.raises(NestorError, match="data directory"):
        await stage.open()


async def test_a_clock_floor_that_was_reset_on_the_host_is_taken_up(stage: Stage) -> None:
    server = await stage.open()
    (ground,) = stage.grounds
    assert isinstance(ground.ledger, SQLiteLedger)
    later = datetime.now(UTC) + timedelta(days=400)  # noqa: TID251 -- against the system clock of the house
    ground.guard.reset(later)
    assert "clock" in server.house.problems()["ca"]
    await ground.ledger.reset_clock_floor(later - timedelta(days=400))
    await server.look_for_changes()
    assert server.house.problems() == {}


async def test_attributes_that_some_clients_cannot_take_are_warned_of(stage: Stage) -> None:
    fixed = {"O": "o"}
    stage.document = {
        "profiles": {"wordy": {"extendedKeyUsage": "clientAuth", "subject": {"add": fixed}}},
        "labels": {"wordy": {"profile": "wordy"}},
    }
    await stage.open()
    assert not [event for event in stage.told if isinstance(event, Trouble)]
    await stage.close()
    words = ("O", "OU", "ST", "L", "STREET", "UID", "title", "GN", "SN", "serialNumber", "emailAddress", "DC")
    fixed |= dict.fromkeys(words, "x" * 63)
    await stage.open()
    assert [event.about for event in stage.told if isinstance(event, Trouble)] == ["csrattrs"]


async def test_a_lost_ledger_does_not_end_a_start_that_needs_another_server_certificate(stage: Stage) -> None:
    await stage.open()
    await stage.close()
    (stage.data / "ledger.db").unlink()
    stage.document = {"listener": {"hostnames": "gw3.plant.example"}}
    house = (await stage.open()).house
    assert set(house.problems()) == {"ledger"}
    (stage.data / "server-certificate.pem").unlink()
    assert set((await stage.open()).house.problems()) == {"ledger"}


async def test_a_ca_that_is_put_back_issues_again_without_being_told(stage: Stage) -> None:
    await stage.open()
    await stage.close()
    (stage.data / "ca").rename(stage.data / "kept")
    server = await stage.open()
    assert set(server.house.problems()) == {"ca"}
    await server.look_for_changes()
    assert set(server.house.problems()) == {"ca"}
    (stage.data / "kept").rename(stage.data / "ca")
    await server.look_for_changes()
    assert server.house.problems() == {}


async def test_a_ledger_that_vanishes_is_noticed_before_anybody_asks_and_taken_up_again(stage: Stage) -> None:
    server = await stage.open()
    kept = stage.data.with_name("kept.db")
    shutil.copy(stage.data / "ledger.db", kept)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (stage.data / name).unlink(missing_ok=True)
    assert "removed or replaced" in server.house.problems()["ledger"]
    await server.look_for_changes()
    assert set(server.house.problems()) == {"ledger"}
    kept.rename(stage.data / "ledger.db")
    await server.look_for_changes()
    assert server.house.problems() == {}
    await server.close()
