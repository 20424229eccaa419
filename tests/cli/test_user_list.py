"""`nestor user add --from`: all users of a list or none, their passwords in a file of their owner."""

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nestor.access.passwords import verify_password
from nestor.access.users import read_users
from support.factories import put_list, read_list
from support.shell import nestor


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def add(data: Path, listed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    out = data.parent / "passwords.csv"
    return nestor("user", "add", "--from", str(listed), "--password-out", str(out), "--data", str(data), *words)


def test_users_get_passwords_that_are_good_once_and_stand_in_one_file(data: Path, tmp_path: Path) -> None:
    rows = [("plc-1", "", "", "", ""), ("line2", "line2-*, gw2", "deviceIdentity, edgeCa", "30d", "no")]
    done = add(data, put_list(tmp_path / "list.csv", ("name", "names", "profiles", "expires", "oneTime"), *rows))
    assert (done.returncode, done.stdout) == (0, "")
    passwords = tmp_path / "passwords.csv"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    plc, line = read_users(data / "users.json").values()
    handed = {row["name"]: row["password"] for row in read_list(passwords)}
    assert list(handed) == ["plc-1", "line2"]
    for user in (plc, line):
        assert verify_password(user.hash, handed[user.name])
        assert handed[user.name] not in done.stderr + (data / "users.json").read_text()
    assert (plc.one_time, plc.names, plc.expires) == (True, (), None)
    assert (line.one_time, line.names, line.profiles) == (False, ("line2-*", "gw2"), ("deviceIdentity", "edgeCa"))
    in_thirty_days = datetime.now(UTC) + timedelta(days=30)  # noqa: TID251 -- the command ran now
    assert line.expires is not None
    assert abs(line.expires - in_thirty_days) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2199-12-31", datetime(2200, 1, 1, tzinfo=UTC)),
        ("2199-12-31T18:00Z", datetime(2199, 12, 31, 18, tzinfo=UTC)),
        ("2199-12-31T18:00+02:00", datetime(2199, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_password_expires_at_a_day_or_a_moment(data: Path, tmp_path: Path, text: str, moment: datetime) -> None:
    assert add(data, put_list(tmp_path / "list.csv", ("name", "expires"), ("plc-1", text))).returncode == 0
    (user,) = read_users(data / "users.json").values()
    assert user.expires == moment


def test_every_kind_of_bad_row_is_told_by_its_line_and_nobody_is_added(data: Path, tmp_path: Path) -> None:
    nestor("user", "add", "there", "--data", str(data), stdin="x\n")
    before = (data / "users.json").read_bytes()
    config = tmp_path / "nestor.toml"
    (data / "hash").write_text("$argon2id$")
    config.write_text('[access.users.settled]\npasswordHash = "file:hash"\n')
    rows = [
        ("good", "", "", "", ""),
        ("", "", "", "", ""),
        ("", "x", "", "", ""),
        ("a:b", "", "", "", ""),
        ("aziot-edge CA a", "", "", "", ""),
        ("THERE", "", "", "", ""),
        ("settled", "", "", "", ""),
        ("GOOD", "", "", "", ""),
        ("p", "", "deviceIdentity, edgCa", "", ""),
        ("e1", "", "", "30", ""),
        ("e2", "", "", "2020-01-01", ""),
        ("e3", "", "", "2199-12-31T18:00", ""),
        ("e4", "", "", "99999999999y", ""),
        ("o", "", "", "", "maybe"),
        ("short",),
        ("long", "", "", "", "", ""),
    ]
    listed = put_list(tmp_path / "list.csv", ("name", "names", "profiles", "expires", "oneTime"), *rows)
    done = add(data, listed, "--config", str(config))
    assert done.returncode == 4
    *told, hint = done.stderr.splitlines()
    assert hint == "hint: Nobody was added; mend the list."
    wanted = (
        (4, "'' cannot be the name of a user"),
        (5, "'a:b' cannot be the name of a user"),
        (6, "'aziot-edge CA a' cannot be the name of a user"),
        (7, "The name THERE stands in the users file already"),
        (8, "The name settled stands in the settings already"),
        (9, "The name GOOD stands in line 2 already"),
        (10, "There is no profile edgCa"),
        (11, "'30' is no time"),
        (12, "is past"),
        (13, "'2199-12-31T18:00' is no time"),
        (14, "'99999999999y' is no time"),
        (15, "oneTime is 'maybe'"),
        (16, "The heading has 5 columns, this row 1"),
        (17, "The heading has 5 columns, this row 6"),
    )
    assert len(told) == len(wanted)
    for sentence, (line, what) in zip(told, wanted, strict=True):
        assert sentence.startswith(f"error: {listed}, line {line}: ")
        assert what in sentence
    assert (data / "users.json").read_bytes() == before
    assert not (tmp_path / "passwords.csv").exists()


def test_of_many_bad_rows_the_first_are_told_and_the_others_counted(data: Path, tmp_path: Path) -> None:
    done = add(data, put_list(tmp_path / "list.csv", ("name",), *((f"a:{number}",) for number in range(100))))
    assert len(done.stderr.splitlines()) == 22
    assert "and 80 more" in done.stderr


def test_a_list_without_rows_is_told(data: Path, tmp_path: Path) -> None:
    done = add(data, put_list(tmp_path / "list.csv", ("name",)))
    assert done.returncode == 4
    assert "There is nobody in" in done.stderr
    assert not (tmp_path / "passwords.csv").exists()


def test_a_password_file_that_is_there_stops_it_before_anybody_is_added(data: Path, tmp_path: Path) -> None:
    (tmp_path / "passwords.csv").write_text("of yesterday")
    done = add(data, put_list(tmp_path / "list.csv", ("name",), ("plc-1",)))
    assert done.returncode == 4
    assert not (data / "users.json").exists()
    assert (tmp_path / "passwords.csv").read_text() == "of yesterday"


def test_a_users_file_that_cannot_be_written_leaves_no_passwords(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (data / ".users.json.new").mkdir()
    done = add(data, put_list(tmp_path / "list.csv", ("name",), ("plc-1",)))
    assert done.returncode == 4
    assert not (tmp_path / "passwords.csv").exists()


def test_a_thousand_users_take_no_longer_than_starting(data: Path, tmp_path: Path) -> None:
    done = add(data, put_list(tmp_path / "list.csv", ("name",), *((f"plc-{number}",) for number in range(1000))))
    assert "1,000 users" in done.stderr
    assert len({user.hash for user in read_users(data / "users.json").values()}) == 1000
