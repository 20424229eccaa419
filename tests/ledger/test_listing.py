"""Listings for people: what fits a description, newest first, page by page."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.ledger.listing import Selection
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import State
from support.entries import NOON, an_entry
from support.ledgers import opened

DAY = timedelta(days=1)
DEVICES = ["line1-press", "line1-pump", "line10-pump", "50%", "500", "a_b", "axb", "star*", "straße"]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SQLiteLedger]:
    async with opened(tmp_path) as ledger:
        for days, device in enumerate(DEVICES, 1):
            entry = an_entry(device, not_after=NOON + days * DAY, profile="edgeCa" if days == 2 else "deviceIdentity")
            await ledger.record(entry, replay=None, one_time=None)
        yield ledger


async def devices(ledger: SQLiteLedger, selection: Selection) -> list[str]:
    return [entry.device for entry in await ledger.page(selection)][::-1]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", DEVICES),
        ("line1-*", ["line1-press", "line1-pump"]),
        ("LINE1-P?MP", ["line1-pump"]),
        ("line1", []),
        ("50%", ["50%"]),
        ("a_b", ["a_b"]),
        ("a?b", ["a_b", "axb"]),
        ("star\\*", ["star*"]),
        ("\\50*", ["50%", "500"]),
        ("STRASSE", []),
        ("STRAßE", ["straße"]),
        ("\\", []),
    ],
)
async def test_a_pattern_stands_for_whole_device_ids(ledger: SQLiteLedger, pattern: str, found: list[str]) -> None:
    assert await devices(ledger, Selection(device=pattern)) == found


async def test_a_profile_is_asked_for_by_its_name(ledger: SQLiteLedger) -> None:
    assert await devices(ledger, Selection(profile="edgeCa")) == ["line1-pump"]


async def test_what_expires_soon_is_what_is_valid_now_and_not_much_longer(ledger: SQLiteLedger) -> None:
    selection = Selection(valid_at=NOON + DAY, expiring_before=NOON + 4 * DAY)
    assert await devices(ledger, selection) == DEVICES[1:3]


async def test_a_state_is_asked_for_by_its_name(ledger: SQLiteLedger) -> None:
    for entry in await ledger.live_certificates("axb", NOON):
        await ledger.revoke(entry.sha256, "lost", NOON)
    assert await devices(ledger, Selection(state=State.REVOKED)) == ["axb"]
    assert "axb" not in await devices(ledger, Selection(state=State.ACTIVE))
    assert await devices(ledger, Selection(state=State.SUPERSEDED)) == []


async def test_who_asked_is_a_pattern_too(ledger: SQLiteLedger) -> None:
    await ledger.record(an_entry("by-hand", requester="Nestor_1"), replay=None, one_time=None)
    assert await devices(ledger, Selection(requester="nestor_*")) == ["by-hand"]
    assert await devices(ledger, Selection(requester="nestor?1*", device="by-*")) == ["by-hand"]
    assert await devices(ledger, Selection(requester="line1", device="by-*")) == []


async def test_a_serial_number_or_a_thumbprint_is_one_certificate(ledger: SQLiteLedger) -> None:
    (wanted,) = await ledger.page(Selection(device="axb"))
    sha1 = hashlib.sha1(wanted.der, usedforsecurity=False).hexdigest()
    serial = f"{wanted.serial:x}"
    for selection in (
        Selection(serial=serial),
        Selection(serial=f"00{serial[:10]}"),
        Selection(thumbprint=wanted.sha256.hex()),
        Selection(sha256=wanted.sha256.hex()[:9]),
        Selection(thumbprint=wanted.sha256.hex()[:11]),
        Selection(thumbprint=sha1[:9]),
        Selection(thumbprint=sha1),
        Selection(thumbprint=sha1, device="a*"),
    ):
        assert await ledger.page(selection) == [wanted]
    assert await devices(ledger, Selection(serial=serial, device="500")) == []
    assert await devices(ledger, Selection(thumbprint="0" * 40)) == []
    assert await devices(ledger, Selection(serial="0")) == []


async def test_a_serial_number_is_found_by_its_first_digits_whatever_half_byte_they_end_in(
    ledger: SQLiteLedger,
) -> None:
    await ledger.record(an_entry("short", serial=0xABCDE), replay=None, one_time=None)
    for digits in ("a", "abc", "0abcd", "ABCDE"):
        assert "short" in await devices(ledger, Selection(serial=digits))
    assert "short" not in await devices(ledger, Selection(serial="bcde"))
