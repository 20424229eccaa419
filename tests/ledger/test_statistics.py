"""What the ledger adds up to at one moment: exact at every edge, and the same after a restart."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.ledger.sqlite import SQLiteLedger
from nestor.ledger.statements import TALLIES
from nestor.ledger.statistics import Last, Statistics
from nestor.model import Entry
from support.entries import NOON, a_refusal, an_entry
from support.ledgers import opened

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
RENEWABLE = {"deviceIdentity", "edgeCa"}


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SQLiteLedger]:
    async with opened(tmp_path) as ledger:
        yield ledger


async def record(ledger: SQLiteLedger, device: str = "pump-1", **changes: Any) -> Entry:
    return await ledger.record(an_entry(device, **changes), replay=None, one_time=None)


async def figures(ledger: SQLiteLedger, now: Any = NOON) -> Statistics:
    return await ledger.statistics(now, RENEWABLE)


async def test_an_empty_ledger_adds_up_to_nothing(ledger: SQLiteLedger) -> None:
    assert await figures(ledger) == Statistics({}, 0, {}, 0, 0, 0, {}, 0, 0, None)


async def test_what_was_issued_is_counted_by_profile_and_outlives_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await record(ledger, "pump-1")
        await record(ledger, "pump-2")
        last = await record(ledger, "pump-1", profile="edgeCa")
        before = await figures(ledger)
    async with opened(tmp_path, create=False) as ledger:
        assert await figures(ledger) == before
    assert before.issued == {"deviceIdentity": 2, "edgeCa": 1}
    assert before.last == Last(last.serial, "edgeCa", NOON)


async def test_refusals_are_counted_by_reason(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        for reason in ("Forbidden", "Forbidden", "Unauthenticated"):
            ledger.refuse(a_refusal(reason=reason))
    async with opened(tmp_path, create=False) as ledger:
        assert (await figures(ledger)).refused == {"Forbidden": 2, "Unauthenticated": 1}


async def test_the_last_day_ends_24_hours_ago_to_the_second(ledger: SQLiteLedger) -> None:
    for ago in (3 * DAY, DAY + SECOND, DAY, DAY - SECOND, SECOND):
        await record(ledger, issued_at=NOON - ago)
    assert (await figures(ledger)).issued_in_day == 2


async def test_an_adopted_certificate_is_active_but_was_not_issued_here(ledger: SQLiteLedger) -> None:
    await record(ledger, "pump-1", issued_at=NOON - HOUR)
    await ledger.adopt(an_entry("pump-2", issued_at=NOON - 10 * DAY, adopted_at=NOON))
    await record(ledger, "pump-3")
    told = await figures(ledger)
    assert (told.issued_in_day, told.adopted, told.active) == (2, 1, {"deviceIdentity": 3})
    assert told.issued == {"deviceIdentity": 2}


async def test_active_is_what_has_neither_ended_nor_a_successor_nor_was_revoked(ledger: SQLiteLedger) -> None:
    await record(ledger, "ended", not_before=NOON - DAY, not_after=NOON, issued_at=NOON - DAY)
    await record(ledger, "renewed")
    await record(ledger, "renewed")
    stolen = await record(ledger, "stolen")
    await ledger.revoke(stolen.sha256, "stolen", NOON)
    await record(ledger, "renewed", profile="edgeCa")
    told = await figures(ledger)
    assert told.active == {"deviceIdentity": 1, "edgeCa": 1}
    assert told.revoked == 1


@pytest.mark.parametrize(("left", "day", "week"), [(DAY, 1, 1), (DAY + SECOND, 0, 1), (7 * DAY, 0, 1), (8 * DAY, 0, 0)])
async def test_what_ends_soon_is_counted_to_the_second(
    ledger: SQLiteLedger, left: timedelta, day: int, week: int
) -> None:
    await record(ledger, not_before=NOON - DAY, not_after=NOON + left)
    told = await figures(ledger)
    assert (told.ending_in_day, told.ending_in_week) == (day, week)


@pytest.mark.parametrize(
    ("age", "profile", "late"), [(27, "deviceIdentity", 0), (28, "deviceIdentity", 1), (28, "own", 0)]
)
async def test_a_renewal_is_overdue_in_the_last_tenth_of_a_life_if_the_profile_renews(
    ledger: SQLiteLedger, age: int, profile: str, late: int
) -> None:
    begun = NOON - age * DAY
    await record(ledger, profile=profile, not_before=begun, not_after=begun + 30 * DAY, issued_at=begun)
    assert (await figures(ledger)).overdue == late


async def test_no_certificate_that_ended_is_looked_up(ledger: SQLiteLedger) -> None:
    times = {"now": 0, "in_day": 0, "in_week": 0}
    plan = [row[3] for row in ledger._reader._rows(f"EXPLAIN QUERY PLAN {TALLIES}", times)]
    assert "SCAN certificates USING COVERING INDEX certificates_live" in plan
    assert [step for step in plan if step.startswith("SCAN") and "INDEX" not in step] == []
