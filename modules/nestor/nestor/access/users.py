"""Users of Basic authentication: what is known of each, and the file that `nestor user` keeps them in.

Names ignore case, as device ids do. The file holds hashes only, is readable by its owner only, and is replaced whole.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from nestor.access.names import is_ca_name
from nestor.access.passwords import check_hash
from nestor.access.settings import USUAL_PROFILES
from nestor.document import literal
from nestor.errors import MaterialError
from nestor.model import Grant, OneTime
from nestor.naming import fold


@dataclass(frozen=True, slots=True)
class User:
    """One user: the hash of its password, what it may ask for, until when, and whether the password is spent by use."""

    name: str
    hash: str = field(repr=False)
    names: tuple[str, ...] = ()
    profiles: tuple[str, ...] = USUAL_PROFILES
    expires: datetime | None = None
    one_time: bool = False

    @property
    def grant(self) -> Grant:
        """What it may ask for: what is written, or the device of its own name."""
        return Grant(self.names or (literal(fold(self.name)),), frozenset(self.profiles))

    @property
    def spending(self) -> OneTime | None:
        """The name under which the ledger knows this password when it is good for one use."""
        return OneTime(hashlib.sha256(self.hash.encode()).hexdigest()) if self.one_time else None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    hash: str
    names: tuple[str, ...] = ()
    profiles: tuple[str, ...] = USUAL_PROFILES
    expires: datetime | None = None
    one_time: bool = False


class _Records(BaseModel):
    model_config = ConfigDict(extra="forbid")

    users: dict[str, _Record] = {}


def check_name(name: str) -> str:
    """A name that Basic authentication can carry and a device can have. Raises MaterialError (RFC 7617, 2)."""
    if not name or ":" in name or not name.isprintable() or name != name.strip() or is_ca_name(name):
        raise MaterialError(
            f"{name!r} cannot be the name of a user.",
            "Use a device id or a plain word: no colon, no control characters, not the name of a CA.",
        )
    return name


def read_users(path: Path) -> Mapping[str, User]:
    """The users of a file by their folded names; none where there is no file. Raises MaterialError."""
    try:
        records = _Records.model_validate_json(path.read_bytes()).users
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MaterialError(
            f"The users file {path} cannot be read: {error.strerror}.", "Check owner and mode."
        ) from error
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"])) or "its form"
        hint = "Restore it, or remove it and add the users anew."
        raise MaterialError(f"The users file {path} does not hold: {place} is wrong.", hint) from None
    return by_name(_user(name, record) for name, record in records.items())


def by_name(users: Iterator[User]) -> dict[str, User]:
    """Users by their folded names. Raises MaterialError for two that differ in case only."""
    known: dict[str, User] = {}
    for user in users:
        if known.setdefault(fold(user.name), user) is not user:
            raise MaterialError(f"There are two users {user.name}.", "User names ignore case; rename one.")
    return known


def add_user(path: Path, user: User) -> bool:
    """Add a user, or replace the one of that name; whether there was one. Raises MaterialError."""
    check_name(user.name)
    check_hash(user.hash, f"the user {user.name}")
    with _changing(path) as users:
        replaced = fold(user.name) in users
        users[fold(user.name)] = user
    return replaced


def add_users(path: Path, users: Sequence[User]) -> None:
    """Add users, all of them or none. Raises MaterialError where one of them is there already."""
    for user in users:
        check_name(user.name)
    with _changing(path) as known:
        there = [user.name for user in users if fold(user.name) in known]
        if there:
            raise MaterialError(f"There is a user {there[0]} already.", "Remove that one first, or leave it out.")
        known.update((fold(user.name), user) for user in users)


def remove_user(path: Path, name: str) -> None:
    """Remove a user. Raises MaterialError where there is none of that name."""
    with _changing(path) as users:
        if users.pop(fold(name), None) is None:
            known = ", ".join(sorted(user.name for user in users.values())) or "nobody"
            raise MaterialError(f"There is no user {name}.", f"The users file knows {known}.")


class Users:
    """Who is known at this moment: the users of the settings, and those of the file; of two, the first counts."""

    def __init__(self, settled: Mapping[str, User], filed: Callable[[], Mapping[str, User]]) -> None:
        self._settled = settled
        self._filed = filed

    def find(self, name: str) -> User | None:
        """The user of that name, whatever its case."""
        folded = fold(name)
        return self._settled.get(folded) or self._filed().get(folded)

    def twice(self) -> Sequence[str]:
        """The names that stand in both places."""
        return [user.name for folded, user in self._settled.items() if folded in self._filed()]

    def hashes(self) -> tuple[str, ...]:
        """Every hash, in a stable order."""
        return tuple(user.hash for users in (self._settled, self._filed()) for user in users.values())


def _user(name: str, record: _Record) -> User:
    if record.expires is not None and record.expires.tzinfo is None:
        raise MaterialError(f"The user {name} expires at a time without zone.", "Write it with Z at its end.")
    hash_ = check_hash(record.hash, f"the user {name}")
    return User(check_name(name), hash_, record.names, record.profiles, record.expires, record.one_time)


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, User]]:
    """Read, change, replace; commands that run at once take turns by a lock on the directory."""
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            users = dict(read_users(path))
            yield users
            _replace(path, _written(users), directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise MaterialError(
            f"The users file {path} cannot be written: {error.strerror}.", "Check owner and mode."
        ) from error


def _written(users: Mapping[str, User]) -> bytes:
    records = {
        user.name: _Record(
            hash=user.hash, names=user.names, profiles=user.profiles, expires=user.expires, one_time=user.one_time
        ).model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for user in users.values()
    }
    return json.dumps({"users": records}, indent=2).encode() + b"\n"


def _replace(path: Path, content: bytes, directory: int) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    os.fsync(directory)
