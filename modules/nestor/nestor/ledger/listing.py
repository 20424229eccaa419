"""Listings for people: entries that fit a description, newest first, page by page.

A page starts after the last entry of the page before, so that its cost does not grow with its number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_

from nestor.ledger.rows import seconds
from nestor.ledger.schema import certificates, encodings
from nestor.ledger.statements import DIALECT, entries
from nestor.model import State
from nestor.naming import fold

SHA1 = "sha1"
"""The SQL function that `reading.py` provides; asking for a SHA-1 thumbprint walks the whole ledger."""

_WHOLE_SHA256 = 64
_AS_LIKE = {"*": "%", "?": "_"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to list; what is left out does not matter.

    `device` and `requester` are patterns for the whole text: `*` any text, `?` one character, a backslash takes the
    next one as it is. `serial` is how a serial number begins, in hex, `sha256` how a SHA-256 begins, and `thumbprint`
    how that or a SHA-1 begins. `valid_at` leaves out what has expired by then, `expiring_before` what lives longer.
    """

    device: str = "*"
    requester: str = "*"
    serial: str = ""
    sha256: str = ""
    thumbprint: str = ""
    profile: str | None = None
    state: State | None = None
    valid_at: datetime | None = None
    expiring_before: datetime | None = None


def page_statement(selection: Selection, after_id: int | None, limit: int) -> tuple[str, dict[str, Any]]:
    """The question for one page, and its values."""
    wanted = entries.where(*_conditions(selection, after_id)).order_by(certificates.c.id.desc()).limit(limit)
    compiled = wanted.compile(dialect=DIALECT)
    return str(compiled), dict(compiled.params)


def _conditions(selection: Selection, after_id: int | None) -> list[ColumnElement[bool]]:
    column = certificates.c
    conditions = list(_digits(selection))
    if selection.device != "*":
        conditions.append(column.device.like(_like(fold(selection.device)), escape="\\"))
    if selection.requester != "*":
        conditions.append(column.requester.like(_like(selection.requester), escape="\\"))
    if after_id is not None:
        conditions.append(column.id < after_id)
    if selection.profile is not None:
        conditions.append(column.profile == selection.profile)
    if selection.state is not None:
        conditions.append(column.state == selection.state.value)
    if selection.valid_at is not None:
        conditions.append(column.not_after > seconds(selection.valid_at))
    if selection.expiring_before is not None:
        conditions.append(column.not_after < seconds(selection.expiring_before))
    return conditions


def _digits(selection: Selection) -> Iterator[ColumnElement[bool]]:
    """What is asked for by its digits in hex, or the first of them."""
    if selection.serial:
        # People write a serial number without the zeros before it.
        written = selection.serial.lstrip("0") or "0"
        yield func.ltrim(func.hex(certificates.c.serial), "0").startswith(written.upper())
    if selection.sha256:
        yield _begins(certificates.c.sha256, selection.sha256)
    if selection.thumbprint:
        yield _thumbprint(selection.thumbprint)


def _thumbprint(digits: str) -> ColumnElement[bool]:
    """A whole SHA-256 is looked up, all else is compared with every thumbprint."""
    if len(digits) == _WHOLE_SHA256:
        return certificates.c.sha256 == bytes.fromhex(digits)
    return or_(_begins(certificates.c.sha256, digits), _begins(getattr(func, SHA1)(encodings.c.der), digits))


def _begins(digest: Any, digits: str) -> ColumnElement[bool]:
    begun: ColumnElement[bool] = func.hex(digest).startswith(digits.upper())
    return begun


def _like(pattern: str) -> str:
    """A pattern in the words of SQL's LIKE."""
    signs = iter(pattern)
    return "".join(_AS_LIKE.get(sign) or _as_is(next(signs, "\\") if sign == "\\" else sign) for sign in signs)


def _as_is(sign: str) -> str:
    return f"\\{sign}" if sign in {"%", "_", "\\"} else sign
