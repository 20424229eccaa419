"""The way back: what is checked first, what is put where, what stays, and what is never forgotten."""

import io
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from nestor.app.occupancy import occupied
from nestor.app.restore import Outcome, Wish, restore_opened
from nestor.app.restored import done, next_steps
from nestor.backup.archive import digest_of, pack
from nestor.backup.manifest import Manifest, Part
from nestor.ca.home import CAHome
from nestor.errors import MaterialError, SettingsError, Unavailable
from nestor.keys.file import load_key, save_key
from nestor.keys.make import generate
from nestor.keys.seals import Keyring
from nestor.ledger.connection import connect
from nestor.ledger.revocations import Revocation, append_revocation, read_revocations
from nestor.model import KeyType
from support.issuing import HandClock
from support.sites import HOUR, Site, opened, site

EVERY = frozenset(Part)


@pytest.fixture
async def plant(tmp_path: Path) -> Site:
    return await site(tmp_path / "plant")


async def restored(to: Site, content: bytes, **wishes: object) -> Outcome:
    return await restore_opened(replace(Wish(Path("b.age"), to.data), **wishes), content, to.clock, Keyring())  # type: ignore[arg-type]


def steps(outcome: Outcome) -> str:
    return "\n".join(next_steps(outcome))


def tampered(content: bytes, changes: dict[str, bytes]) -> bytes:
    """The archive with other files in it, its manifest made true again."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        read = {member.name.removeprefix("nestor-backup/"): archive.extractfile(member) for member in archive}
        files = {name: file.read() for name, file in read.items() if file} | changes
    manifest = Manifest.model_validate_json(files.pop("manifest.json"))
    members = tuple(one.model_copy(update={"sha256": digest_of(files[one.path])}) for one in manifest.members)
    return pack(manifest.model_copy(update={"members": members}), dict(files))


async def test_a_new_directory_is_as_the_old_one_was(plant: Site, tmp_path: Path) -> None:
    entries = await plant.record("dev-3")
    _, content = plant.backup()
    back = Site(tmp_path / "back")
    outcome = await restored(back, content)
    before, after = plant.held(), back.held()
    assert set(before) == set(after)
    assert {name for name in before if before[name] != after[name]} <= {"ledger.db"}
    assert await back.knows(*entries) == ["active"]
    assert set(outcome.put) == set(before)
    assert (outcome.replaced, outcome.elsewhere) == ([], None)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (back.data, *back.data.rglob("*")))
    assert "nestor ledger adopt --since 2026-06-01T12:00:00Z" in steps(outcome)


async def test_what_was_lost_comes_back_and_what_is_there_stays(plant: Site) -> None:
    _, content = plant.backup()
    (plant.data / "ca" / "key.pem").unlink()
    before = plant.held()
    outcome = await restored(plant, content, keep=frozenset({Part.LEDGER}))
    assert outcome.put == ["ca/key.pem"]
    assert set(outcome.left) == set(before)
    after = plant.held()
    assert {name: after[name] for name in before} == before
    assert "adopt" not in steps(outcome)


async def test_what_is_there_and_differs_needs_a_word(plant: Site) -> None:
    _, content = plant.backup()
    plant.user("line2")
    before = plant.held()
    with pytest.raises(MaterialError, match=r"users\.json, ledger\.db") as caught:
        await restored(plant, content)
    assert "--replace users --replace ledger" in caught.value.hint
    with pytest.raises(MaterialError, match=r"backup: ledger\.db\."):
        await restored(plant, content, keep=frozenset({Part.USERS}))
    assert plant.held() == before


async def test_what_is_replaced_is_moved_aside_and_never_deleted(plant: Site) -> None:
    _, content = plant.backup()
    late = await plant.record("dev-3")
    plant.user("line2")
    users, ledger = ((plant.data / name).read_bytes() for name in ("users.json", "ledger.db"))
    outcome = await restored(plant, content, replace=EVERY)
    assert {"users.json", "ledger.db"} <= set(outcome.replaced)
    assert (outcome.aside / "users.json").read_bytes() == users
    assert (outcome.aside / "ledger.db").read_bytes() == ledger
    assert await plant.knows(*late) == [None]
    assert str(outcome.aside) in done(outcome)["moved aside"]


@pytest.mark.parametrize("trace", ["ca-made", "ca", "ledger.db"])
async def test_never_another_ca_in_the_place_of_one(plant: Site, tmp_path: Path, trace: str) -> None:
    _, content = plant.backup()
    other = await site(tmp_path / "other")
    for path in [*other.data.iterdir()]:
        if path.name != trace:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = other.held()
    with pytest.raises(MaterialError, match="belongs to another CA"):
        await restored(other, content, replace=EVERY)
    assert other.held() == before


async def test_a_damaged_ledger_gives_way_to_the_backups(plant: Site) -> None:
    entries = await plant.record("dev-3")
    _, content = plant.backup()
    whole = (plant.data / "ledger.db").read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"no ledger" * 1000):
        (plant.data / "ledger.db").write_bytes(damaged)
        (plant.data / "ledger.db-wal").write_bytes(b"of the old one")
        plant.clock.pass_by(HOUR)
        outcome = await restored(plant, content, replace=frozenset({Part.LEDGER}))
        assert await plant.knows(*entries) == ["active"]
        assert (outcome.aside / "ledger.db-wal").read_bytes() == b"of the old one"


async def test_a_revocation_after_the_backup_is_not_forgotten(plant: Site) -> None:
    early, late = await plant.record("dev-3", "dev-4")
    await plant.revoke(early)
    _, content = plant.backup()
    await plant.revoke(late, "lost")
    (plant.data / "ledger.db").unlink()
    outcome = await restored(plant, content)
    assert await plant.knows(early, late) == ["revoked", "revoked"]
    assert outcome.revoked_since == 1
    assert done(outcome)["revoked again"] == "1"
    assert "--deny" not in steps(outcome)


async def test_a_file_of_revocations_from_elsewhere_counts_as_well(plant: Site, tmp_path: Path) -> None:
    (entry,) = await plant.record("dev-3")
    _, content = plant.backup()
    kept = tmp_path / "kept.log"
    lines = [
        Revocation(plant.clock.now(), sha256, serial, "stolen")
        for sha256, serial in ((entry.sha256, 1), (bytes(32), 2))
    ]
    append_revocation(kept, *lines)
    back = Site(tmp_path / "back")
    outcome = await restored(back, content, revocations=[kept])
    assert await back.knows(entry) == ["revoked"]
    assert outcome.revoked_since == 1
    assert list(read_revocations(back.data / "revocations.log")) == lines


async def test_a_named_file_of_revocations_that_is_not_there_is_told(plant: Site, tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="no file of revocations"):
        await restored(Site(tmp_path / "back"), plant.backup()[1], revocations=[tmp_path / "kept.log"])
    assert not (tmp_path / "back" / "data").exists()


async def test_revocations_that_only_the_ledger_knows_get_their_file_again(plant: Site, tmp_path: Path) -> None:
    (entry,) = await plant.record("dev-3")
    earlier = plant.backup()[1]
    await plant.revoke(entry)
    later = plant.backup()[1]
    back = Site(tmp_path / "back")
    outcome = await restored(back, later)
    assert [line.sha256 for line in read_revocations(back.data / "revocations.log")] == [entry.sha256]
    assert outcome.revoked_since is None
    assert "--deny" in steps(outcome)
    await restored(back, earlier, replace=frozenset({Part.LEDGER}))
    assert await back.knows(entry) == ["revoked"]


async def test_a_damaged_file_of_revocations_stops_it_before_anything_changes(plant: Site) -> None:
    _, content = plant.backup()
    (plant.data / "ledger.db").unlink()
    (plant.data / "revocations.log").write_text("torn\n")
    before = plant.held()
    with pytest.raises(MaterialError, match="Line 1"):
        await restored(plant, content)
    assert plant.held() == before


async def test_the_clock_does_not_run_backwards_over_a_restore(plant: Site, tmp_path: Path) -> None:
    plant.clock.pass_by(10 * HOUR)
    _, content = plant.backup()
    back = Site(tmp_path / "back", clock=HandClock(plant.clock.now() - 5 * HOUR))
    outcome = await restored(back, content)
    async with opened(back) as ledger:
        assert await ledger.newest() == plant.clock.now()
    assert "clock of this host" in steps(outcome)
    later = Site(tmp_path / "later", clock=HandClock(plant.clock.now() + 5 * HOUR))
    await restored(later, content)
    async with opened(later) as ledger:
        assert await ledger.newest() == later.clock.now()


async def test_a_key_that_does_not_fit_its_certificate_is_not_put_there(plant: Site, tmp_path: Path) -> None:
    key = tmp_path / "other.pem"
    save_key(key, generate(KeyType.EC_P256))
    content = tampered(plant.backup()[1], {"data/ca/key.pem": key.read_bytes()})
    back = Site(tmp_path / "back")
    with pytest.raises(MaterialError, match="does not belong to the CA certificate"):
        await restored(back, content)
    assert not back.data.exists()


async def test_a_ca_that_is_not_the_one_of_the_manifest_is_refused(plant: Site, tmp_path: Path) -> None:
    other = await site(tmp_path / "other")
    names = ("ca-made", "ca/key.pem", "ca/certificates.pem")
    mixed = {f"data/{name}": (other.data / name).read_bytes() for name in names}
    with pytest.raises(MaterialError, match="not the one that its manifest names"):
        await restored(Site(tmp_path / "back"), tampered(plant.backup()[1], mixed))
    foreign = {"data/ledger.db": (other.data / "ledger.db").read_bytes()}
    with pytest.raises(MaterialError, match="ledger in the backup belongs to another CA"):
        await restored(Site(tmp_path / "back"), tampered(plant.backup()[1], foreign))


async def test_a_ledger_in_the_backup_that_is_not_whole_is_refused(plant: Site, tmp_path: Path) -> None:
    whole = (plant.data / "ledger.db").read_bytes()
    torn = bytearray(whole)
    torn[-4096:] = bytes(4096)
    for damaged in (whole[:-4096], bytes(torn), b""):
        content = tampered(plant.backup()[1], {"data/ledger.db": damaged})
        with pytest.raises(MaterialError, match="ledger"):
            await restored(Site(tmp_path / "back"), content)
        assert not (tmp_path / "back" / "data").exists()


async def test_a_ledger_of_a_newer_nestor_is_refused(plant: Site, tmp_path: Path) -> None:
    connection = connect(plant.data / "ledger.db", writable=True)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(MaterialError, match="newer Nestor"):
        await restored(Site(tmp_path / "back"), plant.backup()[1])


async def test_a_configuration_that_does_not_hold_here_names_the_version_that_made_it(
    plant: Site, tmp_path: Path
) -> None:
    configuration = tmp_path / "nestor.toml"
    configuration.write_text("[log]\ncolor = true\n")
    with pytest.raises(SettingsError, match="color") as caught:
        await restored(Site(tmp_path / "back"), plant.backup(configuration)[1])
    assert "0.1.0" in caught.value.hint


async def test_the_configuration_comes_back_beside_what_it_configures(plant: Site, tmp_path: Path) -> None:
    configuration = tmp_path / "nestor.toml"
    configuration.write_text("[log]\nlevel = 'warning'\n")
    _, content = plant.backup(configuration)
    there = await restored(Site(tmp_path / "there"), content)
    assert there.elsewhere is None  # it is in its place, as it was
    configuration.rename(tmp_path / "lost.toml")
    outcome = await restored(Site(tmp_path / "back"), content)
    assert outcome.elsewhere is not None
    assert (outcome.elsewhere / str(configuration)[1:]).read_text() == "[log]\nlevel = 'warning'\n"
    assert f"nestor serve --config {configuration} --data" in steps(outcome)


async def test_an_encrypted_key_is_opened_before_it_counts(
    plant: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, configuration = CAHome(plant.data).key_path, tmp_path / "nestor.toml"
    key = load_key(place).key
    place.unlink()
    save_key(place, key, "of the key")
    configuration.write_text("[keys]\npassphrase = 'env:NESTOR_TEST_KEY'\n")
    plant.document["keys"] = {"passphrase": "env:NESTOR_TEST_KEY"}
    monkeypatch.setenv("NESTOR_TEST_KEY", "of the key")
    _, content = plant.backup(configuration)
    for passphrase in (None, "another"):
        monkeypatch.delenv("NESTOR_TEST_KEY", raising=False)
        if passphrase:
            monkeypatch.setenv("NESTOR_TEST_KEY", passphrase)
        with pytest.raises(MaterialError):
            await restored(Site(tmp_path / "back"), content)
        assert not (tmp_path / "back" / "data").exists()
    monkeypatch.setenv("NESTOR_TEST_KEY", "of the key")
    await restored(Site(tmp_path / "back"), content)


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_key_that_lived_elsewhere_has_to_be_brought_there(plant: Site, tmp_path: Path, with_key: bool) -> None:
    place, configuration = tmp_path / "key.pem", tmp_path / "nestor.toml"
    save_key(place, load_key(CAHome(plant.data).key_path).key)
    CAHome(plant.data).key_path.unlink()
    configuration.write_text(f"[ca]\nkey = 'file:{place}'\n")
    plant.document["ca"] = {"key": f"file:{place}"}
    _, content = plant.backup(configuration, with_key=with_key)
    place.rename(tmp_path / "away.pem")
    outcome = await restored(Site(tmp_path / "back"), content)
    assert str(place) in steps(outcome)
    assert outcome.missing_key == (None if with_key else place)
    assert outcome.elsewhere is None or (outcome.elsewhere / str(place)[1:]).exists() is with_key
    save_key(place, generate(KeyType.EC_P256))
    if not with_key:
        with pytest.raises(MaterialError, match="does not belong"):
            await restored(Site(tmp_path / "again"), content)


async def test_one_time_passwords_that_may_be_spent_are_told(plant: Site, tmp_path: Path) -> None:
    plant.user("plc-1", one_time=True)
    outcome = await restored(Site(tmp_path / "back"), plant.backup()[1])
    assert "count again: plc-1" in steps(outcome)


async def test_nothing_is_restored_into_a_directory_that_is_in_use(plant: Site) -> None:
    _, content = plant.backup()
    before = plant.held()
    with occupied(plant.data, "nestor serve"), pytest.raises(Unavailable, match=r"in use by nestor serve \(process"):
        await restored(plant, content, replace=EVERY)
    assert plant.held() == before


async def test_a_refused_restore_leaves_nothing_behind(plant: Site, tmp_path: Path) -> None:
    empty = Site(tmp_path / "empty")
    empty.data.mkdir(parents=True)
    with pytest.raises(MaterialError):
        await restored(empty, b"no archive")
    assert empty.held() == {}
    await restored(empty, plant.backup()[1])
    assert CAHome(empty.data).was_made
