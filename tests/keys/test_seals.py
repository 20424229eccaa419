"""What a sealer is asked and when: once, beforehand, no longer than somebody waits; and what is said where it fails."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nestor.errors import CannotIssue, MaterialError, NestorError, SettingsError
from nestor.keys.file import save_key
from nestor.keys.make import generate
from nestor.keys.seals import Keyring, Seals
from nestor.model import KeyType
from support.edge_hosts import MemoryHost

SECRET = "correct horse battery staple"
KEY = generate(KeyType.EC_P256)
SOON = 0.05


def raw(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture
def host() -> MemoryHost:
    return MemoryHost()


@pytest.fixture
async def place(tmp_path: Path, host: MemoryHost) -> Path:
    """A sealed key."""
    place = tmp_path / "key.pem"
    seals = await Keyring(host.sealer).seals(place, within=1, new=lambda: SECRET)
    seals.save(place, KEY, None)
    host.mood.calls.clear()
    return place


def no_secret() -> str:
    raise MaterialError("The environment variable NESTOR_RECOVERY is not set.", "Set it.")


def _content(place: Path) -> bytes:
    return place.read_bytes()


def _files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def _damage(place: Path) -> None:
    content = _content(place)
    place.write_bytes(content[:-40] + b"A" + content[-39:])


def _open_to_others(place: Path) -> None:
    place.chmod(0o644)


async def refused(keyring: Keyring, place: Path, **wishes: Any) -> NestorError:
    seals = await keyring.seals(place, within=SOON, **wishes)
    with pytest.raises(NestorError) as error:
        seals.load(place, None)
    assert str(place) in error.value.sentence
    return error.value


async def test_a_sealed_key_is_loaded_by_another_process(host: MemoryHost, place: Path) -> None:
    stored = (await Keyring(host.sealer).seals(place, within=1)).load(place, None)
    assert raw(stored.key) == raw(KEY)
    assert stored.sealed
    assert stored.warnings == ()


async def test_what_was_opened_once_needs_no_sealer_any_more(host: MemoryHost, place: Path) -> None:
    keyring = Keyring(host.sealer)
    for _ in range(3):
        (await keyring.seals(place, within=1)).load(place, None)
    assert host.mood.calls == ["unseal"]
    host.mood.away = True
    assert (await keyring.seals(place, within=1)).load(place, None).sealed


async def test_loading_and_saving_ask_nobody(host: MemoryHost, place: Path) -> None:
    keyring = Keyring(host.sealer)
    seals = await keyring.seals(place, within=1, new=lambda: SECRET)
    host.mood.calls.clear()
    seals.load(place, None)
    seals.save(place.with_name("other.pem"), KEY, None)
    assert host.mood.calls == []


async def test_a_sealer_that_hangs_is_waited_for_no_longer_than_told(host: MemoryHost, place: Path) -> None:
    host.mood.hangs = True
    error = await refused(Keyring(host.sealer), place)
    assert isinstance(error, CannotIssue)
    assert "nobody opens it at this time: The IoT Edge runtime does not answer." in error.sentence
    assert "tried again" in error.hint


async def test_a_sealer_that_is_away_is_asked_again(host: MemoryHost, place: Path) -> None:
    keyring = Keyring(host.sealer)
    host.mood.away = True
    assert "The runtime of this host is away." in (await refused(keyring, place)).sentence
    host.mood.away = False
    assert (await keyring.seals(place, within=1)).load(place, None).sealed


async def test_a_lost_sealing_key_names_the_one_command_that_helps(host: MemoryHost, place: Path) -> None:
    host.sealer.lose_key()
    error = await refused(Keyring(host.sealer), place)
    assert isinstance(error, CannotIssue)
    assert "the key that sealed it is gone" in error.sentence
    assert "nestor ca recover" in error.hint


async def test_without_a_sealer_it_is_said_where_to_go(place: Path) -> None:
    error = await refused(Keyring(), place)
    assert "did not start this process" in error.sentence
    assert "nestor ca unseal" in error.hint
    with pytest.raises(CannotIssue, match="did not start this process"):
        Seals().load(place, None)


async def test_the_recovery_passphrase_opens_it_only_where_that_was_wished(host: MemoryHost, place: Path) -> None:
    host.sealer.lose_key()
    await refused(Keyring(host.sealer), place)
    seals = await Keyring(host.sealer).seals(place, within=1, spare=lambda: SECRET)
    assert raw(seals.load(place, None).key) == raw(KEY)


async def test_where_nothing_opens_it_both_reasons_are_told(place: Path) -> None:
    error = await refused(Keyring(), place, spare=lambda: "another passphrase")
    assert "did not start this process. The sealed key" in error.sentence
    error = await refused(Keyring(), place, spare=no_secret)
    assert error.sentence.endswith("The environment variable NESTOR_RECOVERY is not set.")
    assert error.hint == "Set it."


async def test_a_damaged_file_is_told_as_damaged_whoever_is_away(host: MemoryHost, place: Path) -> None:
    _damage(place)
    error = await refused(Keyring(host.sealer), place)
    assert isinstance(error, MaterialError)
    assert host.mood.calls == []


async def test_a_plain_key_needs_no_sealer(tmp_path: Path) -> None:
    place = tmp_path / "key.pem"
    save_key(place, KEY)
    stored = (await Keyring().seals(place, within=1)).load(place, None)
    assert not stored.sealed


async def test_others_who_may_read_a_sealed_file_are_told_of(host: MemoryHost, place: Path) -> None:
    _open_to_others(place)
    (warning,) = (await Keyring(host.sealer).seals(place, within=1)).load(place, None).warnings
    assert "chmod 600" in warning


async def test_a_new_key_is_not_kept_where_nobody_seals_it(host: MemoryHost, tmp_path: Path) -> None:
    place = tmp_path / "key.pem"
    host.mood.away = True
    seals = await Keyring(host.sealer).seals(place, within=1, new=lambda: SECRET)
    for act in (seals.check_new, lambda: seals.save(place, KEY, None)):
        with pytest.raises(CannotIssue, match="cannot be sealed at this time"):
            act()
    assert _files(tmp_path) == []


@pytest.mark.parametrize(
    ("sealed", "passphrase", "error"),
    [
        (False, lambda: SECRET, SettingsError),
        (True, no_secret, MaterialError),
        (True, lambda: "short", MaterialError),
    ],
    ids=["no runtime", "no passphrase", "short passphrase"],
)
async def test_a_new_key_is_not_sealed_without_a_way_back(
    host: MemoryHost, tmp_path: Path, sealed: bool, passphrase: Any, error: type[NestorError]
) -> None:
    keyring = Keyring(host.sealer if sealed else None)
    seals = await keyring.seals(tmp_path / "key.pem", within=1, new=passphrase)
    with pytest.raises(error):
        seals.save(tmp_path / "key.pem", KEY, None)
    assert _files(tmp_path) == []


async def test_a_seal_that_does_not_open_again_is_none(host: MemoryHost, monkeypatch: pytest.MonkeyPatch) -> None:
    async def other(_: bytes) -> bytes:
        return b"something else"

    monkeypatch.setattr(host.sealer, "unseal", other)
    with pytest.raises(MaterialError, match="does not open again"):
        await Keyring(host.sealer).wrap(SECRET, 1)


async def test_a_sealed_key_is_never_overwritten_by_a_new_one(host: MemoryHost, place: Path) -> None:
    before = _content(place)
    seals = await Keyring(host.sealer).seals(place, within=1, new=lambda: SECRET)
    with pytest.raises(MaterialError, match="never overwritten"):
        seals.save(place, KEY, None)
    assert _content(place) == before


async def test_whether_a_passphrase_recovers_is_known_once_it_was_tried(
    host: MemoryHost, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = Keyring()
    assert not await keyring.recovers(place, "another passphrase")
    assert await keyring.recovers(place, SECRET)
    monkeypatch.setattr("nestor.keys.seals.unwrap_by_recovery", no_secret)
    assert await keyring.recovers(place, SECRET)
    assert await keyring.recovers(place.with_name("missing.pem"), SECRET), "nothing is sealed there"


async def test_what_is_opened_is_not_shown(host: MemoryHost, place: Path) -> None:
    seals = await Keyring(host.sealer).seals(place, within=1, new=lambda: SECRET)
    data_keys = [one for one in seals.opened.values() if isinstance(one, bytes)]
    assert data_keys
    assert not any(repr(one) in repr(seals) for one in data_keys)
