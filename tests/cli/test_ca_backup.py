"""`nestor ca backup` and `nestor ca restore`: what a person types, is asked, and sees."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.shell import nestor
from support.terminal import typed

MATERIAL, MISUSE = 4, 2
SECRET = {"NESTOR_SECRET": "correct horse battery"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory, and a backup of it."""
    made = tmp_path_factory.mktemp("backup")
    assert nestor("ca", "init", "--data", str(made / "data")).returncode == 0
    assert backup(made, "b.age").returncode == 0
    return made


def backup(place: Path, name: str, secret: str = SECRET["NESTOR_SECRET"]) -> subprocess.CompletedProcess[str]:
    words = ("--data", str(place / "data"), "--out", str(place / name), "--json", "--passphrase", "env:NESTOR_SECRET")
    return nestor("ca", "backup", *words, environment={"NESTOR_SECRET": secret})


def restore(place: Path, data: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    where = ("--passphrase", "env:NESTOR_SECRET") if not stdin else ()
    return nestor(
        "ca", "restore", str(place / "b.age"), "--data", str(data), *where, *words, stdin=stdin, environment=SECRET
    )


def test_a_backup_says_what_is_in_it(place: Path) -> None:
    done = backup(place, "again.age")
    said = json.loads(done.stdout)
    assert said["file"] == str(place / "again.age")
    assert said["CA"] == "CN=Nestor Root CA"
    assert said["ledger"] == "0 certificates, 0 revoked"
    assert SECRET["NESTOR_SECRET"] not in done.stdout + done.stderr


def test_a_second_backup_needs_a_name_of_its_own(place: Path) -> None:
    done = backup(place, "b.age")
    assert (done.returncode, "is there already" in done.stderr) == (MATERIAL, True)


def test_a_passphrase_that_can_be_guessed_is_refused(place: Path) -> None:
    done = backup(place, "short.age", "short")
    assert done.returncode == MATERIAL
    assert "hint: Make one: openssl rand -base64 24." in done.stderr
    assert not (place / "short.age").exists()


def test_a_place_for_the_passphrase_that_is_none_is_told(place: Path) -> None:
    for named, code in (("secret", MISUSE), ("env:NESTOR_NOBODY", MATERIAL), ("file:/nowhere", MATERIAL)):
        words = ("--data", str(place / "data"), "--out", str(place / "x.age"), "--passphrase", named)
        assert nestor("ca", "backup", *words).returncode == code


def test_a_person_is_asked_twice_and_nothing_is_shown(place: Path) -> None:
    words = [sys.executable, "-m", "nestor", "ca", "backup", "--data", str(place / "data")]
    code, seen = typed([*words, "--out", str(place / "asked.age")], *["a passphrase typed by hand"] * 2)
    assert code == 0, seen
    assert "Passphrase of the backup" in seen
    assert "by hand" not in seen
    assert (place / "asked.age").exists()


def test_a_restore_says_what_it_did_and_what_to_do_next(place: Path, tmp_path: Path) -> None:
    done = restore(place, tmp_path / "back", stdin=f"{SECRET['NESTOR_SECRET']}\n")
    assert done.returncode == 0
    assert "put back    ca-made, ca/certificates.pem, ca/key.pem, ledger.db" in done.stdout
    steps = done.stderr.splitlines()
    assert [step.split(". ")[0] for step in steps] == ["1", "2", "3"]
    assert "nestor ledger adopt --since" in steps[-1]
    assert nestor("ca", "show", "--data", str(tmp_path / "back")).returncode == 0


def test_a_wrong_passphrase_or_a_file_that_is_no_backup_changes_nothing(place: Path, tmp_path: Path) -> None:
    data = tmp_path / "back"
    wrong = restore(place, data, stdin="Correct horse battery\n")
    assert (wrong.returncode, "does not open with this passphrase" in wrong.stderr) == (MATERIAL, True)
    (tmp_path / "b.age").write_text("hello")
    for done in (restore(tmp_path, data), restore(tmp_path / "nowhere", data)):
        assert done.returncode == MATERIAL
    assert not data.exists()


def test_what_is_there_gives_way_only_if_told_so(place: Path, tmp_path: Path) -> None:
    data = tmp_path / "back"
    assert restore(place, data).returncode == 0
    (data / "ledger.db").write_bytes(b"torn")
    refused = restore(place, data)
    assert refused.returncode == MATERIAL
    assert "hint: --replace ledger moves it aside" in refused.stderr
    assert restore(place, data, "--replace", "everything").returncode == MISUSE
    done = restore(place, data, "--replace", "ledger", "--json")
    assert "ledger.db: to" in json.loads(done.stdout)["movedAside"]
    assert next(data.glob("replaced-*/ledger.db")).read_bytes() == b"torn"
