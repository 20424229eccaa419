"""Revocations beside a running server are told within one look, each once; those from before it are not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.app.revocations import Revocations
from nestor.errors import MaterialError
from nestor.events import Event, Revoked
from nestor.ledger.revocations import FILE, Revocation, append_revocation
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import State
from support.entries import NOON, an_entry
from support.ledgers import opened


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SQLiteLedger]:
    async with opened(tmp_path) as ledger:
        yield ledger


async def test_what_another_process_revokes_is_told_once_with_its_reason(tmp_path: Path, ledger: SQLiteLedger) -> None:
    told: list[Event] = []
    watching = Revocations(tmp_path, told.append)
    entry = await ledger.record(an_entry(), replay=None, one_time=None)
    await watching.look(ledger)
    async with opened(tmp_path, create=False) as beside:
        await beside.revoke(entry.sha256, "stolen", NOON + timedelta(hours=1))
    for _ in range(2):
        await watching.look(ledger)
    (event,) = told
    assert isinstance(event, Revoked)
    assert (event.by, event.entry.state) == ("command line", State.REVOKED)
    assert (event.entry.revocation_reason, event.entry.revoked_at) == ("stolen", NOON + timedelta(hours=1))


async def test_what_was_revoked_before_is_told_to_nobody(tmp_path: Path, ledger: SQLiteLedger) -> None:
    old, new = [await ledger.record(an_entry(name), replay=None, one_time=None) for name in ("old", "new")]
    await ledger.revoke(old.sha256, "stolen", NOON)
    told: list[Event] = []
    watching = Revocations(tmp_path, told.append)
    await watching.look(ledger)
    await ledger.revoke(new.sha256, "lost", NOON)
    await watching.look(ledger)
    assert [event.entry.device for event in told if isinstance(event, Revoked)] == ["new"]


async def test_a_line_about_a_certificate_that_this_ledger_never_had_is_passed_over(
    tmp_path: Path, ledger: SQLiteLedger
) -> None:
    told: list[Event] = []
    watching = Revocations(tmp_path, told.append)
    append_revocation(tmp_path / FILE, Revocation(NOON, bytes(32), 7, "stolen"))
    await watching.look(ledger)
    assert told == []


async def test_a_line_that_does_not_hold_is_an_error_as_long_as_it_stands(tmp_path: Path, ledger: SQLiteLedger) -> None:
    watching = Revocations(tmp_path, lambda event: None)
    (tmp_path / FILE).write_text("who?\n")
    for _ in range(2):
        with pytest.raises(MaterialError, match="Line 1"):
            await watching.look(ledger)


async def test_a_revocation_holds_although_the_file_has_a_line_that_does_not(
    tmp_path: Path, ledger: SQLiteLedger
) -> None:
    entry = await ledger.record(an_entry(), replay=None, one_time=None)
    (tmp_path / FILE).write_text("who?\n")
    watching = Revocations(tmp_path, lambda event: None)
    revoked = await watching.revoke(ledger, entry, "stolen", at=NOON, by="direct method")
    assert revoked.state is State.REVOKED
