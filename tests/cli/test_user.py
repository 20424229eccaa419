"""`nestor user`: passwords are asked for, made, or piped in; never shown in a pipe, never kept."""

import json
import stat
from pathlib import Path

import pytest

from support.shell import nestor


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_user_is_added_with_a_piped_password_and_listed_without_its_hash(data: Path) -> None:
    assert nestor("user", "add", "gw3", "--data", str(data), stdin="hunter2\n").returncode == 0
    listed = nestor("user", "list", "--data", str(data))
    assert listed.stdout.splitlines() == ["gw3\tgw3\tdeviceIdentity, estIdentity, edgeCa\tnever\talways"]
    kept = (data / "users.json").read_text()
    assert "hunter2" not in kept
    assert "$argon2id$" in kept
    assert stat.S_IMODE((data / "users.json").stat().st_mode) == 0o600


def test_rules_are_kept_with_the_user(data: Path) -> None:
    words = ("--names", "line1-*, gw?", "--profiles", "*", "--expires-in", "30d", "--one-time")
    nestor("user", "add", "line1", *words, "--data", str(data), stdin="x\n")
    (user,) = json.loads(nestor("user", "list", "--json", "--data", str(data)).stdout)
    assert user["names"] == "line1-*, gw?"
    assert user["profiles"] == "*"
    assert user["good"] == "once"
    assert user["expires"].endswith("Z")


def test_a_made_password_goes_to_a_file_of_its_owner_only(data: Path, tmp_path: Path) -> None:
    place = tmp_path / "password"
    done = nestor("user", "add", "gw3", "--generate", "--password-out", str(place), "--data", str(data))
    assert done.returncode == 0
    password = place.read_text().strip()
    assert len(password) == 35
    assert password not in done.stdout + done.stderr
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_made_password_is_never_put_into_a_pipe(data: Path) -> None:
    done = nestor("user", "add", "gw3", "--generate", "--data", str(data))
    assert done.returncode == 4
    assert "--password-out" in done.stderr
    assert not (data / "users.json").exists()


def test_a_user_is_removed_once(data: Path) -> None:
    nestor("user", "add", "gw3", "--data", str(data), stdin="x\n")
    assert nestor("user", "remove", "gw3", "--data", str(data)).returncode == 0
    gone = nestor("user", "remove", "gw3", "--data", str(data))
    assert gone.returncode == 4
    assert gone.stderr.startswith("error: There is no user gw3.")


@pytest.mark.parametrize("name", ["a:b", "", "aziot-edge CA x"])
def test_a_name_that_basic_authentication_cannot_carry_is_refused(data: Path, name: str) -> None:
    assert nestor("user", "add", name, "--data", str(data), stdin="x\n").returncode == 4


def test_an_empty_password_is_refused(data: Path) -> None:
    assert nestor("user", "add", "gw3", "--data", str(data), stdin="\n").returncode == 4


def test_a_wrong_duration_is_told_with_what_would_be_right(data: Path) -> None:
    done = nestor("user", "add", "gw3", "--expires-in", "30", "--data", str(data), stdin="x\n")
    assert done.returncode == 3
    assert "30d" in done.stderr


@pytest.mark.parametrize("words", [(), ("--from", "list.csv"), ("gw3", "--from", "list.csv", "--password-out", "p")])
def test_a_command_line_that_leaves_it_open_whom_to_add_is_misused(data: Path, words: tuple[str, ...]) -> None:
    done = nestor("user", "add", *words, "--data", str(data))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
