"""The file of users: written whole, read again, for its owner alone."""

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nestor.access.passwords import hash_password
from nestor.access.users import User, Users, add_user, add_users, by_name, check_name, read_users, remove_user
from nestor.errors import MaterialError
from nestor.model import OneTime

HASH = hash_password("secret", lambda length: b"s" * length)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "users.json"


def test_a_user_added_is_read_back_whole(path: Path) -> None:
    user = User("Line1", HASH, ("line1-*",), ("estIdentity",), datetime(2027, 1, 1, tzinfo=UTC), one_time=True)
    add_user(path, user)
    assert read_users(path) == {"line1": user}


def test_the_file_is_for_its_owner_only_and_holds_no_password(path: Path) -> None:
    add_user(path, User("dev1", HASH))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"users": {"dev1": {"hash": HASH}}}
    assert [file.name for file in path.parent.iterdir()] == ["users.json"]


def test_a_user_added_again_in_another_case_is_replaced(path: Path) -> None:
    add_user(path, User("dev1", HASH))
    add_user(path, User("DEV1", HASH, names=("*",)))
    assert [user.name for user in read_users(path).values()] == ["DEV1"]


def test_a_user_removed_is_gone_and_one_who_is_unknown_is_named_with_those_known(path: Path) -> None:
    add_user(path, User("dev1", HASH))
    add_user(path, User("dev2", HASH))
    with pytest.raises(MaterialError, match="no user dev3") as caught:
        remove_user(path, "dev3")
    assert "dev1, dev2" in caught.value.hint
    remove_user(path, "DEV1")
    assert list(read_users(path)) == ["dev2"]


def test_many_are_added_at_once_beside_those_who_are_there(path: Path) -> None:
    add_user(path, User("dev1", HASH))
    add_users(path, [User(f"new{number}", HASH, one_time=True) for number in range(3)])
    assert list(read_users(path)) == ["dev1", "new0", "new1", "new2"]


@pytest.mark.parametrize("bad", [User("DEV1", HASH), User("a:b", HASH)])
def test_many_are_added_all_or_none(path: Path, bad: User) -> None:
    add_user(path, User("dev1", HASH))
    with pytest.raises(MaterialError):
        add_users(path, [User("new", HASH), bad])
    assert list(read_users(path)) == ["dev1"]


def test_commands_that_run_at_once_lose_nothing(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add_user(path, User(f"dev{number}", HASH)), range(24)))
    assert len(read_users(path)) == 24


def test_a_thousand_users_are_read_without_hashing_for_each(path: Path) -> None:
    path.write_text(json.dumps({"users": {f"dev{number}": {"hash": HASH} for number in range(1000)}}))
    started = time.perf_counter()
    assert len(read_users(path)) == 1000
    assert time.perf_counter() - started < 1


def test_a_file_that_is_not_there_has_no_users(path: Path) -> None:
    assert read_users(path) == {}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"users": []}',
        '{"people": {}}',
        '{"users": {"dev1": {}}}',
        '{"users": {"dev1": {"hash": "plain"}}}',
        '{"users": {"dev1": {"hash": "HASH", "admin": true}}}',
        '{"users": {"dev1": {"hash": "HASH", "expires": "soon"}}}',
        '{"users": {"dev1": {"hash": "HASH", "expires": "2027-01-01T00:00:00"}}}',
        '{"users": {"a:b": {"hash": "HASH"}}}',
        '{"users": {"dev1": {"hash": "HASH"}, "DEV1": {"hash": "HASH"}}}',
        "\udcff",
    ],
)
def test_a_broken_file_is_an_error_that_shows_no_hash(path: Path, content: str) -> None:
    path.write_text(content.replace("HASH", HASH), errors="surrogateescape")
    with pytest.raises(MaterialError) as caught:
        read_users(path)
    assert "argon2id$" not in caught.value.text


def test_a_broken_file_is_not_overwritten_by_a_command(path: Path) -> None:
    path.write_text("{")
    with pytest.raises(MaterialError):
        add_user(path, User("dev1", HASH))
    assert path.read_text() == "{"


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="cannot be written"):
        add_user(tmp_path / "missing" / "users.json", User("dev1", HASH))


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", " a", "a ", "aziot-edge CA dev1", "AZIOT-EDGE ca dev1", "\u202ea"])
def test_names_that_nobody_can_have(path: Path, name: str) -> None:
    with pytest.raises(MaterialError):
        check_name(name)
    with pytest.raises(MaterialError):
        add_user(path, User(name, HASH))


def test_a_user_without_names_is_good_for_its_own_only() -> None:
    assert User("Dev*", HASH).grant.names == (r"dev\*",)
    assert User("dev1", HASH, ("line1-*",)).grant.names == ("line1-*",)


def test_a_one_time_password_is_named_by_a_digest_of_its_hash() -> None:
    spending = User("dev1", HASH, one_time=True).spending
    assert isinstance(spending, OneTime)
    assert HASH not in spending.key
    assert spending != User("dev1", hash_password("other"), one_time=True).spending
    assert User("dev1", HASH).spending is None


def test_a_hash_is_never_shown() -> None:
    assert "argon2" not in repr(User("dev1", HASH))


def test_users_of_settings_and_file_are_found_whatever_their_case() -> None:
    users = Users({"line1": User("Line1", HASH)}, lambda: {"dev1": User("dev1", HASH)})
    assert users.find("LINE1") is not None
    assert users.find("DEV1") is not None
    assert users.find("dev2") is None
    assert len(users.hashes()) == 2


def test_of_a_user_in_settings_and_file_the_settings_count() -> None:
    settled = User("dev1", HASH)
    users = Users({"dev1": settled}, lambda: {"dev1": User("DEV1", hash_password("other"))})
    assert users.find("Dev1") is settled
    assert users.twice() == ["dev1"]


def test_two_users_that_differ_in_case_only_are_an_error() -> None:
    with pytest.raises(MaterialError, match="two users"):
        by_name(iter([User("dev1", HASH), User("DEV1", HASH)]))
