"""What a backup holds, what it leaves out and says so, and what cannot be backed up."""

import io
import tarfile
from pathlib import Path

import pytest

from nestor.app.backup import Wish, make_backup
from nestor.backup.manifest import Manifest, Part
from nestor.ca.home import CAHome
from nestor.errors import MaterialError
from nestor.keys.file import load_key, save_key
from support.sites import Site, site


@pytest.fixture
async def plant(tmp_path: Path) -> Site:
    return await site(tmp_path)


def contents(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {member.name.removeprefix("nestor-backup/"): archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}


def moved_key(plant: Site, to: Path) -> None:
    """Move the CA's key to another place, and say so in the settings."""
    save_key(to, load_key(CAHome(plant.data).key_path).key)
    CAHome(plant.data).key_path.unlink()
    plant.document["ca"] = {"key": f"file:{to}"}


async def test_it_holds_ca_ledger_users_and_configuration(plant: Site, tmp_path: Path) -> None:
    configuration = tmp_path / "nestor.toml"
    configuration.write_text("[log]\nlevel = 'warning'\n")
    manifest, content = plant.backup(configuration)
    files = contents(content)
    assert set(files) == {
        "manifest.json",
        "data/ca-made",
        "data/ca/certificates.pem",
        "data/ca/key.pem",
        "data/users.json",
        "data/ledger.db",
        f"elsewhere{configuration}",
    }
    assert files["data/ca/key.pem"] == (plant.data / "ca" / "key.pem").read_bytes()
    assert (manifest.configuration, manifest.left_out) == (f"elsewhere{configuration}", ())
    assert (manifest.ledger.certificates, manifest.ledger.revoked) == (2, 0)
    assert manifest.ca.key
    assert {member.part for member in manifest.members} == {Part.CA, Part.USERS, Part.LEDGER, None}


async def test_it_holds_the_last_good_wish_of_a_module_twin(plant: Site) -> None:
    (plant.data / "twin.json").write_text("{}")
    _, content = plant.backup()
    assert contents(content)["data/twin.json"] == b"{}"


async def test_it_holds_no_file_of_revocations(plant: Site) -> None:
    (entry,) = await plant.record("dev-3")
    await plant.revoke(entry)
    manifest, content = plant.backup()
    assert manifest.ledger.revoked == 1
    assert not any("revocations" in name for name in contents(content))


async def test_named_files_are_in_it_where_they_are_inside_and_told_where_not(plant: Site, tmp_path: Path) -> None:
    factory = b"-----BEGIN CERTIFICATE-----"
    for place in (plant.data / "certs" / "in.pem", tmp_path / "out.pem"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(factory)
    (plant.data / "linked.pem").symlink_to(tmp_path / "out.pem")
    names = {"inside": "certs/in.pem", "outside": "../out.pem", "linked": "linked.pem", "gone": "gone.pem"}
    plant.document["access"] = {"bootstrap": {key: {"anchors": f"file:{name}"} for key, name in names.items()}}
    manifest, content = plant.backup()
    assert contents(content)["data/certs/in.pem"] == factory
    assert manifest.left_out == (str(plant.data / "../out.pem"), str(plant.data / "linked.pem"))
    assert [one.path for one in manifest.members if one.part is Part.FILES] == ["data/certs/in.pem"]


async def test_a_key_that_lives_elsewhere_is_in_it_only_if_asked_for(plant: Site, tmp_path: Path) -> None:
    moved_key(plant, tmp_path / "key.pem")
    manifest, content = plant.backup()
    assert (manifest.ca.key, manifest.left_out) == (False, (str(tmp_path / "key.pem"),))
    assert b"PRIVATE" not in b"".join(contents(content).values())
    manifest, content = plant.backup(with_key=True)
    assert (manifest.ca.key, manifest.left_out) == (True, ())
    assert contents(content)[f"elsewhere{tmp_path}/key.pem"] == (tmp_path / "key.pem").read_bytes()


async def test_a_ca_from_files_is_in_it_but_for_its_key(plant: Site, tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    for name in ("certificates.pem", "key.pem"):
        (plant.data / "ca" / name).rename(tmp_path / "ca" / name)
    plant.document["ca"] = {
        "source": "file",
        "certificate": f"file:{tmp_path}/ca/certificates.pem",
        "key": f"file:{tmp_path}/ca/key.pem",
    }
    manifest, content = plant.backup()
    assert f"elsewhere{tmp_path}/ca/certificates.pem" in contents(content)
    assert (manifest.ca.key, manifest.left_out) == (False, (f"{tmp_path}/ca/key.pem",))


async def test_an_encrypted_key_stays_encrypted(plant: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    place = CAHome(plant.data).key_path
    key = load_key(place).key
    place.unlink()
    save_key(place, key, "of the key")
    plant.document["keys"] = {"passphrase": "env:NESTOR_TEST_KEY"}
    with pytest.raises(MaterialError, match="NESTOR_TEST_KEY is not set"):
        plant.backup()
    monkeypatch.setenv("NESTOR_TEST_KEY", "of the key")
    assert b"ENCRYPTED" in contents(plant.backup()[1])["data/ca/key.pem"]


async def test_what_could_not_be_restored_is_not_backed_up(plant: Site) -> None:
    ledger = (plant.data / "ledger.db").read_bytes()
    (plant.data / "ledger.db").write_bytes(ledger[:100])
    with pytest.raises(MaterialError, match="ledger"):
        plant.backup()
    (plant.data / "ledger.db").unlink()
    with pytest.raises(MaterialError, match="ledger"):
        plant.backup()
    assert not (plant.data / "ledger.db").exists()
    (plant.data / "ledger.db").write_bytes(ledger)
    (plant.data / "ca" / "key.pem").write_bytes(b"")
    with pytest.raises(MaterialError, match=r"key\.pem"):
        plant.backup()


async def test_a_ledger_of_another_ca_is_not_backed_up(plant: Site, tmp_path: Path) -> None:
    other = await site(tmp_path / "other")
    (plant.data / "ledger.db").write_bytes((other.data / "ledger.db").read_bytes())
    with pytest.raises(MaterialError, match="belongs to another CA"):
        plant.backup()


async def test_where_there_is_no_ca_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="no CA"):
        Site(tmp_path).backup()


async def test_a_backup_never_overwrites_and_leaves_nothing_behind(plant: Site, tmp_path: Path) -> None:
    before, out = plant.held(), tmp_path / "b.age"
    made = make_backup(Wish(plant.source, None, out), "correct horse battery")
    assert isinstance(made, Manifest)
    assert out.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in out.read_bytes()
    content = out.read_bytes()
    with pytest.raises(MaterialError, match="is there already"):
        make_backup(Wish(plant.source, None, out), "correct horse battery")
    assert out.read_bytes() == content
    assert plant.held() == before
    with pytest.raises(MaterialError, match="12"):
        make_backup(Wish(plant.source, None, tmp_path / "c.age"), "short")
