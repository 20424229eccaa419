"""`nestor user`: passwords are asked for, made, or piped in; never shown in a pipe, never kept."""

import asyncio
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nestor.access.passwords import verify_password
from nestor.access.users import read_users
from nestor.app.twin.store import save
from nestor.ledger.opening import open_ledger
from nestor.ledger.settings import LedgerSettings
from nestor.model import OneTime
from nestor.twin.kept import Kept, Origin
from nestor.twin.secrets import check_secrets
from support.entries import an_entry
from support.ledgers import NoonClock
from support.plants import Tutorial
from support.process import Mortal
from support.shapes import est_identity
from support.shell import nestor, nestor_here


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_user_is_added_with_a_piped_password_and_listed_without_its_hash(data: Path) -> None:
    assert nestor("user", "add", "gw3", "--data", str(data), stdin="hunter2\n").returncode == 0
    listed = nestor("user", "list", "--data", str(data))
    assert listed.stdout.splitlines() == ["gw3\tgw3\tdeviceIdentity, estIdentity, edgeCa\tnever\talways\tusers file\t"]
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


def test_who_gives_a_user_another_password_hears_that_there_was_one(data: Path) -> None:
    first, second = (nestor_here("user", "add", name, "--data", str(data), stdin="x\n") for name in ("gw3", "GW3"))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "There was a user" not in first.stderr
    assert "There was a user GW3: its password is another one now" in second.stderr


def test_a_one_time_password_that_is_spent_is_listed_so(data: Path) -> None:
    for name in ("gw3", "gw4"):
        nestor_here("user", "add", name, "--one-time", "--data", str(data), stdin="x\n")
    listed = nestor_here("user", "list", "--json", "--data", str(data)).stdout
    assert [user["lastSpent"] for user in json.loads(listed)] == ["", ""]  # there is no ledger yet
    spending = read_users(data / "users.json")["gw3"].spending
    asyncio.run(_spend(data, spending))
    listed = nestor_here("user", "list", "--json", "--data", str(data)).stdout
    assert {user["name"]: user["lastSpent"] for user in json.loads(listed)} == {
        "gw3": "2026-05-04T12:00:00Z",
        "gw4": "",
    }


async def _spend(data: Path, password: OneTime | None) -> None:
    ledger = open_ledger(LedgerSettings.model_validate({}), data, create=True, clock=NoonClock())
    await ledger.record(an_entry("gw3"), replay=None, one_time=password)
    await ledger.close()


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
    done = nestor_here("user", "add", name, "--data", str(data), stdin="x\n")
    assert done.returncode == 2
    assert "cannot be the name of a user" in done.stderr


def test_an_empty_password_is_refused(data: Path) -> None:
    assert nestor("user", "add", "gw3", "--data", str(data), stdin="\n").returncode == 4


def test_a_wrong_duration_is_told_with_what_would_be_right(data: Path) -> None:
    for wrong in ("30", "0d", "200y"):
        done = nestor_here("user", "add", "gw3", "--expires-in", wrong, "--data", str(data), stdin="x\n")
        assert done.returncode == 2
        assert "--expires-in" in done.stderr
        assert "30d" in done.stderr
    assert not data.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profiles", "edgeCA"), "there is no profile edgeCA; did you mean edgeCa."),
        (("--profiles", "deviceIdentity, nonsense"), "Those of a configuration are known with --config."),
        (("--password-out", "gw3.txt"), "add --generate"),
    ],
)
def test_options_that_nobody_could_mean_are_refused(data: Path, words: tuple[str, ...], said: str) -> None:
    done = nestor_here("user", "add", "gw3", *words, "--data", str(data), stdin="x\n")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not data.exists()


def test_a_profile_of_the_configuration_can_be_granted(data: Path, tmp_path: Path) -> None:
    (tmp_path / "nestor.toml").write_text("[profiles.historian]\n")
    words = ("--profiles", "historian", "--config", str(tmp_path / "nestor.toml"), "--data", str(data))
    assert nestor_here("user", "add", "h1", *words, stdin="x\n").returncode == 0


def test_a_password_that_is_no_text_is_told(data: Path) -> None:
    command = (sys.executable, "-m", "nestor", "user", "add", "gw3", "--data", str(data))
    done = subprocess.run(command, input=b"gr\xfcn\n", capture_output=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (4, b"error: The password is not UTF-8 text.")


def test_where_nobody_was_added_no_password_is_left(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (data / "users.json").write_text("{")
    words = ("user", "add", "gw3", "--generate", "--password-out", str(tmp_path / "gw3.txt"), "--data", str(data))
    assert nestor_here(*words).returncode == 4
    assert not (tmp_path / "gw3.txt").exists()
    (data / "users.json").unlink()
    assert nestor_here(*words).returncode == 0


def test_two_passwords_that_differ_are_asked_for_again(data: Path) -> None:
    manager, terminal = pty.openpty()
    command = (sys.executable, "-m", "nestor", "user", "add", "gw3", "--data", str(data))
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True) as process:
        os.close(terminal)
        shown = b""
        for typed in (b"one", b"other", b"hunter2", b"hunter2"):
            asked = shown.count(b": ")
            while shown.count(b": ") == asked or not shown.endswith(b": "):
                shown += os.read(manager, 1024)
            os.write(manager, typed + b"\n")
        assert process.wait(30) == 0
    os.close(manager)
    assert b"error: The two are not the same." in shown
    assert b"Error" not in shown
    (kept,) = json.loads((data / "users.json").read_text())["users"].values()
    assert verify_password(kept["hash"], "hunter2")


def test_a_directory_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    for words in (("list",), ("remove", "gw3")):
        done = nestor_here("user", *words, "--data", str(tmp_path / "typo"))
        assert (done.returncode, done.stderr.splitlines()[-1]) == (4, "hint: Check --data.")
    assert list(tmp_path.iterdir()) == []


def test_a_hash_for_the_configuration_is_made_and_its_user_listed_and_served(tmp_path: Path) -> None:
    server = Mortal(tmp_path, {"access": {"users": {"line1": {"passwordHash": "file:line1.hash", "names": "line1-*"}}}})
    made = nestor_here("user", "hash", stdin="0815\n").stdout
    (server.data / "line1.hash").write_text(made)
    assert verify_password(made.strip(), "0815")
    where = ("--data", str(server.data), "--config", str(server.config))
    (listed,) = json.loads(nestor_here("user", "list", "--json", *where).stdout)
    assert (listed["name"], listed["names"], listed["keptIn"]) == ("line1", "line1-*", "settings")
    taken = nestor_here("user", "add", "LINE1", *where, stdin="x\n")
    assert (taken.returncode, "kept in the configuration" in taken.stderr) == (4, True)
    # A file that was written before the configuration named the user.
    assert nestor_here("user", "add", "line1", "--data", str(server.data), stdin="4711\n").returncode == 0
    with server:
        assert "The user line1 is both in the settings and in the users file" in server.log()
        assert server.device(user=("line1", "0815")).enroll(est_identity("line1-a")).status == 200
        assert server.device(user=("line1", "4711")).enroll(est_identity("line1-a")).status == 401
        assert nestor_here("user", "remove", "line1", *where).returncode == 0


def test_a_made_password_is_handed_over_apart_from_its_hash_which_a_twin_takes(tmp_path: Path) -> None:
    place = tmp_path / "gw7.txt"
    made = nestor_here("user", "hash", "--generate", "--password-out", str(place)).stdout.strip()
    assert verify_password(made, place.read_text().strip())
    assert place.stat().st_mode & 0o777 == 0o600
    check_secrets({"access": {"users": {"gw7": {"passwordHash": made}}}})
    assert nestor_here("user", "hash", "--password-out", str(tmp_path / "other"), stdin="0815\n").returncode == 2
    assert nestor_here("user", "hash", "--generate").returncode == 4  # nobody at a terminal sees it


def test_the_user_of_the_tutorial_is_not_doubled(tmp_path: Path) -> None:
    server = Tutorial(tmp_path)
    with server:
        pass
    where = ("--data", str(server.data))
    done = nestor_here("user", "add", "ESTUSER", *where, stdin="x\n")
    assert done.returncode == 4
    assert done.stderr.splitlines()[0] == "error: The user ESTUSER is the tutorial's."
    assert not (server.data / "users.json").exists()
    assert nestor_here("user", "list", *where).stdout == "estuser\t*\t*\tnever\talways\tsettings\t\n"


@pytest.mark.parametrize("words", [(), ("--from", "list.csv"), ("gw3", "--from", "list.csv", "--password-out", "p")])
def test_a_command_line_that_leaves_it_open_whom_to_add_is_misused(data: Path, words: tuple[str, ...]) -> None:
    done = nestor("user", "add", *words, "--data", str(data))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


def test_within_a_module_the_users_of_its_twin_are_known(tmp_path: Path) -> None:
    origin = Origin("plant.azure-devices.net", "gw3", "nestor", "1")
    hashed = nestor_here("user", "hash", stdin="0815\n").stdout.strip()
    save(tmp_path, Kept(origin, 1, {"access": {"users": {"gw7": {"passwordHash": hashed}}}}))
    environment = {
        "IOTEDGE_WORKLOADURI": "unix:///run/workload.sock",
        "IOTEDGE_IOTHUBHOSTNAME": origin.hub,
        "IOTEDGE_DEVICEID": origin.device,
        "IOTEDGE_MODULEID": origin.module,
        "IOTEDGE_MODULEGENERATIONID": origin.generation,
        "IOTEDGE_GATEWAYHOSTNAME": "gw3.plant.example",
        "IOTEDGE_APIVERSION": "2019-11-05",
        "NESTOR_TWIN_NAMES": "gw7",
    }
    told = nestor_here("user", "list", "--json", "--data", str(tmp_path), environment=environment)
    assert [(user["name"], user["keptIn"]) for user in json.loads(told.stdout)] == [("gw7", "settings")]
    assert json.loads(nestor_here("user", "list", "--json", "--data", str(tmp_path)).stdout) == []
