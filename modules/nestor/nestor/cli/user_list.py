"""`nestor user add --from`: the users of a list, all of them or none, with passwords that are drawn here."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from nestor.access.passwords import draw_password
from nestor.access.scope import EVERY
from nestor.access.settings import USUAL_PROFILES
from nestor.access.users import User, add_users, check_name, read_users
from nestor.ca.catalog import build_catalog
from nestor.cli.private import write_private
from nestor.cli.table import Line, read_table
from nestor.document import parse_duration
from nestor.errors import MaterialError
from nestor.naming import fold
from nestor.settings import Settings

_COLUMNS = ("names", "profiles", "expires", "oneTime")
_YES, _NO = {"yes", "true", "1", ""}, {"no", "false", "0"}
_SHOWN = 20
_DAY = timedelta(days=1)


def add_listed(listed: Path, users_file: Path, password_out: Path, settings: Settings, now: datetime) -> int:
    """Add the users of a list, and write their passwords to a new file. Answers how many.

    Raises MaterialError with a line for every row that does not hold, and changes nothing then.
    """
    lines = read_table(listed, needed="name", known=_COLUMNS)
    if not lines:
        raise MaterialError(f"There is nobody in {listed}.", "It needs a row for each user below its heading.")
    taken = dict.fromkeys(read_users(users_file), "the users file")
    taken |= dict.fromkeys(map(fold, settings.access.users), "the settings")
    reading = _Reading(taken, build_catalog(settings.profiles).names(), now)
    problems = [f"{listed}, line {line.number}: {sentence}" for line in lines for sentence in reading.problems(line)]
    if problems:
        raise MaterialError(_some(problems), "Nobody was added; mend the list.")
    passwords = [draw_password() for _ in lines]
    users = [_user(line, drawn.hash, now) for line, drawn in zip(lines, passwords, strict=True)]
    write_private(
        password_out, _as_csv([(user.name, drawn.text) for user, drawn in zip(users, passwords, strict=True)])
    )
    try:
        add_users(users_file, users)
    except BaseException:
        password_out.unlink()
        raise
    return len(users)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What rows are held against: names that are taken and where, profiles that there are, the time."""

    taken: dict[str, str]
    profiles: Collection[str]
    now: datetime

    def problems(self, line: Line) -> Iterator[str]:
        """What is wrong with a row, a sentence for each; a good one takes its name."""
        found = [line.fault] if line.fault else list(self._of_cells(line))
        if not found:
            self.taken[fold(line.cells["name"])] = f"line {line.number}"
        yield from found

    def _of_cells(self, line: Line) -> Iterator[str]:
        name = line.cells["name"]
        try:
            check_name(name)
        except MaterialError as error:
            yield error.sentence
        where = self.taken.get(fold(name))
        if where is not None:
            yield f"The name {name} stands in {where} already."
        for profile in line.words("profiles"):
            if profile not in {EVERY, *self.profiles}:
                yield f"There is no profile {profile}; known are {', '.join(self.profiles)}."
        try:
            expires = _moment(line.cells.get("expires", ""), self.now)
            if expires is not None and expires <= self.now:
                yield f"It expires at {expires:%Y-%m-%d %H:%M} UTC, which is past."
        except (ValueError, OverflowError):
            yield f"{line.cells['expires']!r} is no time; write 30d, 2026-12-31 or 2026-12-31T18:00Z."
        if line.cells.get("oneTime", "").casefold() not in _YES | _NO:
            yield f"oneTime is {line.cells['oneTime']!r}; write yes or no."


def _user(line: Line, hashed: str, now: datetime) -> User:
    return User(
        name=line.cells["name"],
        hash=hashed,
        names=line.words("names"),
        profiles=line.words("profiles") or USUAL_PROFILES,
        expires=_moment(line.cells.get("expires", ""), now),
        one_time=line.cells.get("oneTime", "").casefold() in _YES,
    )


def _moment(text: str, now: datetime) -> datetime | None:
    """A time as people write it: how long from now, a day to its end in UTC, or a moment with its zone.

    Raises ValueError or OverflowError.
    """
    if not text:
        return None
    if "-" not in text:
        length = parse_duration(text)
        return now + length if isinstance(length, timedelta) else None
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text), time.min, UTC) + _DAY
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = "it has no zone"
        raise ValueError(msg)
    return moment.astimezone(UTC)


def _some(problems: Sequence[str]) -> str:
    more = len(problems) - _SHOWN
    return "\n".join([*problems[:_SHOWN], *([f"... and {more} more"] if more > 0 else [])])


def _as_csv(rows: Sequence[tuple[str, str]]) -> str:
    content = io.StringIO()
    csv.writer(content).writerows([("name", "password"), *rows])
    return content.getvalue()
