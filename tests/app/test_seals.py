"""A server whose CA key is sealed: it serves whatever the runtime does, issues when it can, and says why when not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from nestor.app.authority import Source, existing_issuer
from nestor.app.clock import SystemClock
from nestor.app.resealing import recover_ca, seal_ca, unseal_ca
from nestor.app.seals import AT_ONCE, ready
from nestor.app.server import Server
from nestor.app.trial import try_settings
from nestor.ca.issuer import fingerprint_of
from nestor.errors import CannotIssue, MaterialError, SettingsError
from nestor.events import Trouble
from nestor.keys.sealed import is_sealed
from nestor.keys.seals import Keyring
from nestor.settings import judge
from support.edge_hosts import MemoryHost
from support.stages import Stage

SECRET = "correct horse battery staple"
SEALED = {"keys": {"protection": "sealed", "recovery": "env:NESTOR_TEST_RECOVERY"}}


@pytest.fixture
def host() -> MemoryHost:
    return MemoryHost()


@pytest.fixture(autouse=True)
def recovery(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("NESTOR_TEST_RECOVERY", SECRET)
    return monkeypatch


@pytest.fixture
async def stage(tmp_path: Path, host: MemoryHost) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path / "data")
    stage.document = dict(SEALED)
    stage.plan = replace(stage.plan, edge=host.edge)
    yield stage
    await stage.close()


async def _again(stage: Stage) -> Server:
    """The server, in a new process."""
    await stage.close()
    return await stage.start()


def _source(stage: Stage) -> Source:
    return Source(stage.read(), stage.data, SystemClock(), stage.told.append)


def _key_file(stage: Stage) -> bytes:
    return (stage.data / "ca" / "key.pem").read_bytes()


def _ca(server: Server) -> str:
    return fingerprint_of(server.house.authority.ca_certificates()[0])


def _told(stage: Stage, about: str) -> list[str]:
    return [event.sentence for event in stage.told if isinstance(event, Trouble) and event.about == about]


async def test_a_ca_is_made_sealed_and_found_again(stage: Stage) -> None:
    made = _ca(await stage.start())
    assert is_sealed(_key_file(stage))
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in (stage.data / "ca").iterdir())
    server = await _again(stage)
    assert server.house.problems() == {}
    assert _ca(server) == made
    assert _told(stage, "key file") == []


async def test_a_start_waits_for_no_runtime_and_issues_as_soon_as_it_answers(stage: Stage, host: MemoryHost) -> None:
    made = _ca(await stage.start())
    host.mood.hangs = True
    begun = asyncio.get_running_loop().time()
    server = await _again(stage)
    assert asyncio.get_running_loop().time() - begun < AT_ONCE + 8, "the runtime hangs for ever"
    assert _ca(server) == made, "/cacerts answers"
    assert "nobody opens it at this time" in server.house.problems()["ca"]
    host.mood.hangs = False
    await server.look_for_changes()
    assert server.house.problems() == {}


async def test_no_ca_is_made_until_its_key_can_be_sealed(stage: Stage, host: MemoryHost) -> None:
    host.mood.away = True
    server = await stage.start()
    assert "cannot be sealed at this time" in server.house.problems()["ca"]
    await server.look_for_changes()
    assert not (stage.data / "ca").exists()
    host.mood.away = False
    await server.look_for_changes()
    assert server.house.problems() == {}
    assert is_sealed(_key_file(stage))


async def test_new_settings_apply_while_the_runtime_is_away(stage: Stage, host: MemoryHost) -> None:
    server = await stage.start()
    host.mood.away = True
    stage.document |= {"labels": {"line1": {}}}
    await server.reload()
    assert "line1" in server.house.settings.labels
    assert server.house.problems() == {}


async def test_what_was_opened_stays_open_when_the_ledger_comes_back(stage: Stage, host: MemoryHost) -> None:
    await stage.start()
    await stage.close()
    ledger = stage.data / "ledger.db"
    ledger.rename(stage.data / "aside")
    server = await stage.start()
    assert list(server.house.problems()) == ["ledger"]
    host.mood.away = True
    (stage.data / "aside").rename(ledger)
    await server.look_for_changes()
    assert server.house.problems() == {}
    await server.close()


async def test_a_server_that_waits_for_settings_asks_for_no_seal(stage: Stage, host: MemoryHost) -> None:
    stage.plan = replace(stage.plan, waiting=lambda: MaterialError("Nobody has said anything yet."))
    await stage.start()
    assert host.mood.calls == []


async def test_without_its_sealing_key_a_ca_is_shown_and_comes_back_by_one_command(
    stage: Stage, host: MemoryHost
) -> None:
    made = _ca(await stage.start())
    host.sealer.lose_key()
    server = await _again(stage)
    assert _ca(server) == made
    assert "nestor ca recover" in server.house.problems()["ca"]
    with pytest.raises(CannotIssue, match="cannot issue at this time"):
        server.house.authority._refuse()  # type: ignore[union-attr] -- the closed one
    assert (await recover_ca(_source(stage), Keyring(host.sealer), SECRET)).fingerprint == made
    await server.look_for_changes()
    assert server.house.problems() == {}
    assert _ca(await _again(stage)) == made


async def test_a_server_that_has_opened_its_key_survives_the_loss_until_it_is_started_anew(
    stage: Stage, host: MemoryHost
) -> None:
    server = await stage.start()
    host.sealer.lose_key()
    await server.reload()
    assert server.house.problems() == {}


async def test_another_passphrase_recovers_nothing_and_changes_nothing(stage: Stage, host: MemoryHost) -> None:
    await stage.start()
    before = _key_file(stage)
    with pytest.raises(MaterialError, match="does not open"):
        await recover_ca(_source(stage), Keyring(host.sealer), "another passphrase")
    host.mood.away = True
    with pytest.raises(CannotIssue, match="cannot be sealed at this time"):
        await recover_ca(_source(stage), Keyring(host.sealer), SECRET)
    assert _key_file(stage) == before


async def test_a_ca_in_a_file_is_sealed_and_unsealed_under_a_server_that_runs(stage: Stage, host: MemoryHost) -> None:
    stage.document = {}
    server = await stage.start()
    made = _ca(server)
    assert b"PRIVATE KEY" in _key_file(stage)
    stage.document = dict(SEALED)
    await server.reload()
    assert "nestor ca seal" in _told(stage, "key file")[-1]
    keyring = Keyring(host.sealer)
    await seal_ca(_source(stage), keyring, SECRET)
    assert is_sealed(_key_file(stage))
    stage.told.clear()
    await server.look_for_changes()
    assert (server.house.problems(), _ca(server), _told(stage, "key file")) == ({}, made, [])
    await unseal_ca(_source(stage), keyring, None)
    assert b"PRIVATE KEY" in _key_file(stage)
    stage.document = {}
    await server.look_for_changes()
    assert (server.house.problems(), _ca(server)) == ({}, made)


async def test_a_sealed_key_is_opened_whatever_the_settings_say_of_new_ones(stage: Stage) -> None:
    await stage.start()
    stage.document = {}
    server = await _again(stage)
    assert server.house.problems() == {}
    assert "nestor ca unseal" in _told(stage, "key file")[0]


async def test_the_seal_comes_off_by_the_passphrase_where_there_is_no_runtime(stage: Stage) -> None:
    made = _ca(await stage.start())
    with pytest.raises(CannotIssue, match="did not start this process"):
        await unseal_ca(_source(stage), Keyring(), None)
    assert (await unseal_ca(_source(stage), Keyring(), SECRET)).fingerprint == made
    assert existing_issuer(_source(stage)).fingerprint == made


@pytest.mark.parametrize("act", [recover_ca, unseal_ca])
async def test_what_is_not_sealed_has_no_seal_to_lose(stage: Stage, host: MemoryHost, act: object) -> None:
    stage.document = {}
    await stage.start()
    with pytest.raises(MaterialError, match="is not sealed"):
        await act(_source(stage), Keyring(host.sealer), SECRET)  # type: ignore[operator]


async def test_a_new_recovery_passphrase_counts_once_the_key_is_sealed_anew(stage: Stage, host: MemoryHost) -> None:
    await stage.start()
    keyring = Keyring(host.sealer)
    await seal_ca(_source(stage), keyring, "a new passphrase of ours")
    with pytest.raises(MaterialError, match="does not open"):
        await recover_ca(_source(stage), keyring, SECRET)
    await recover_ca(_source(stage), keyring, "a new passphrase of ours")


async def test_a_passphrase_at_hand_that_recovers_nothing_is_told_of(
    stage: Stage, recovery: pytest.MonkeyPatch
) -> None:
    server = await stage.start()
    await server.look_after_recovery()
    recovery.delenv("NESTOR_TEST_RECOVERY")
    await server.look_after_recovery()
    assert _told(stage, "recovery") == []
    recovery.setenv("NESTOR_TEST_RECOVERY", "another passphrase")
    await server.look_after_recovery()
    assert "nestor ca seal" in _told(stage, "recovery")[0]


async def test_a_passphrase_may_be_taken_away_after_the_first_day(stage: Stage, recovery: pytest.MonkeyPatch) -> None:
    await stage.start()
    recovery.delenv("NESTOR_TEST_RECOVERY")
    assert (await _again(stage)).house.problems() == {}


async def test_no_ca_is_made_sealed_without_a_passphrase_or_a_runtime(
    stage: Stage, recovery: pytest.MonkeyPatch
) -> None:
    stage.plan = replace(stage.plan, edge=None)
    with pytest.raises(SettingsError, match="needs the IoT Edge runtime"):
        await stage.start()
    recovery.delenv("NESTOR_TEST_RECOVERY")
    with pytest.raises(MaterialError, match="NESTOR_TEST_RECOVERY is not set"):
        await stage.start()
    assert not (stage.data / "ca").exists()
    with pytest.raises(SettingsError, match=r"keys\.recovery: this key is needed"):
        try_settings(judge({"keys": {"protection": "sealed"}}))


async def test_a_ca_from_files_may_be_sealed_too(stage: Stage, host: MemoryHost) -> None:
    stage.document = {}
    made = _ca(await stage.start())
    for name in ("certificates.pem", "key.pem"):
        (stage.data / "ca" / name).rename(stage.data / name)
    stage.document = {
        "ca": {"source": "file", "certificate": "file:certificates.pem", "key": "file:key.pem"},
        **SEALED,
    }
    await seal_ca(_source(stage), Keyring(host.sealer), SECRET)
    assert is_sealed((stage.data / "key.pem").read_bytes())
    server = await _again(stage)
    assert (server.house.problems(), _ca(server)) == ({}, made)
    host.mood.away = True
    server = await _again(stage)
    assert _ca(server) == made
    assert "nobody opens it" in server.house.problems()["ca"]
    host.mood.away = False
    await server.look_for_changes()
    assert server.house.problems() == {}


async def test_a_passphrase_beside_the_key_is_doubted(stage: Stage) -> None:
    (stage.data).mkdir()
    (stage.data / "recovery").write_text(SECRET)
    stage.document = {"keys": {"protection": "sealed", "recovery": "file:recovery"}}
    await stage.start()
    assert "lies in the data directory" in _told(stage, "settings")[0]


async def test_asking_beforehand_raises_nothing(stage: Stage, host: MemoryHost) -> None:
    host.mood.away = True
    source = await ready(_source(stage), Keyring(host.sealer))
    with pytest.raises(CannotIssue):
        source.seals.check_new()
