"""The ledger on disk beyond its port: revocations, pages, counters, and another process beside it."""

import asyncio
import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from nestor.errors import CannotIssue, MaterialError
from nestor.ledger.listing import Selection
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry, State
from support.entries import NOON, a_refusal, an_entry
from support.ledgers import opened

HOUR = timedelta(hours=1)


async def record(ledger: SQLiteLedger, entry: Entry | None = None) -> Entry:
    return await ledger.record(entry or an_entry(), replay=None, one_time=None)


def revoke_elsewhere(place: Path, sha256: bytes) -> None:
    """Revoke as `nestor cert revoke` does: in a process of its own, while the server runs."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from support.entries import NOON\n"
        "from support.ledgers import opened\n"
        "async def main():\n"
        "    async with opened(pathlib.Path(sys.argv[1]), create=False) as ledger:\n"
        "        await ledger.revoke(bytes.fromhex(sys.argv[2]), 'stolen', NOON)\n"
        "asyncio.run(main())\n"
    )
    search = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", program, str(place), sha256.hex()], env=search, check=True)


async def test_a_revocation_by_another_process_counts_from_the_next_question_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = await record(ledger)
        await asyncio.to_thread(revoke_elsewhere, tmp_path, entry.sha256)
        found = await ledger.find(entry.sha256)
        assert found
        assert (found.state, found.revocation_reason) == (State.REVOKED, "stolen")
        assert not await ledger.live_certificates(entry.device, NOON)
        await record(ledger)


async def test_a_revocation_is_written_beside_the_ledger_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = await record(ledger)
        for _ in range(2):
            await ledger.revoke(entry.sha256, "lost in transit", NOON)
    line = f"2026-05-04T12:00:00Z {entry.sha256.hex()} {entry.serial:x} lost in transit\n"
    assert (tmp_path / "revocations.log").read_text() == line


async def test_a_revocation_that_cannot_be_written_beside_is_not_made(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = await record(ledger)
        (tmp_path / "revocations.log").mkdir()
        with pytest.raises(CannotIssue, match="directory"):
            await ledger.revoke(entry.sha256, "lost", NOON)
        assert await ledger.find(entry.sha256) == entry
        (tmp_path / "revocations.log").rmdir()


async def test_an_unknown_certificate_cannot_be_revoked(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        with pytest.raises(MaterialError, match="no certificate 0000"):
            await ledger.revoke(bytes(32), "lost", NOON)


async def test_a_certificate_is_found_by_all_its_names(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await record(ledger)
        entry = await record(ledger)
        assert await ledger.certificates_of_serial(entry.serial) == [entry]
        assert await ledger.find_thumbprint(entry.sha256) == entry
        assert await ledger.find_thumbprint(hashlib.sha1(entry.der, usedforsecurity=False).digest()) == entry
        assert await ledger.find_thumbprint(bytes(20)) is None
        assert await ledger.certificates_of_serial(7) == []
        twins = [await record(ledger, an_entry(of, serial=9, issuer=of.encode())) for of in ("one", "other")]
        assert await ledger.certificates_of_serial(9) == twins


async def test_pages_go_from_the_newest_to_the_oldest(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entries = [await record(ledger, an_entry(f"pump-{n}")) for n in range(5)]
        first = await ledger.page(Selection(), limit=3)
        second = await ledger.page(Selection(), after_id=first[-1].id, limit=3)
        assert [*first, *second] == entries[::-1]


async def test_counters_tell_what_happened_since_the_ledger_was_made(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = await record(ledger)
        await record(ledger, an_entry(profile="edgeCa"))
        await record(ledger)
        for _ in range(2):
            await ledger.revoke(entry.sha256, "lost", NOON)
        ledger.refuse(a_refusal())
        ledger.refuse(a_refusal(reason="TooOften"))
    async with opened(tmp_path, create=False) as ledger:
        counters = await ledger.counters()
    assert counters.issued == {"deviceIdentity": 2, "edgeCa": 1}
    assert counters.refused == {"Forbidden": 1, "TooOften": 1}
    assert counters.revoked == 1


async def test_refusals_come_back_newest_first(tmp_path: Path) -> None:
    refusals = [a_refusal(), a_refusal(method=None, requester="")]
    async with opened(tmp_path) as ledger:
        for refusal in refusals:
            ledger.refuse(refusal)
    async with opened(tmp_path, create=False) as ledger:
        assert await ledger.refusals(10) == refusals[::-1]
        assert await ledger.refusals(1) == refusals[1:]


async def test_the_clock_floor_can_be_reset_and_rises_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await record(ledger, an_entry(issued_at=NOON.replace(year=2036)))
        await ledger.reset_clock_floor(NOON)
        assert await ledger.newest() == NOON
        await record(ledger, an_entry(issued_at=NOON + HOUR))
        assert await ledger.newest() == NOON + HOUR


async def test_an_authority_once_pinned_is_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        assert await ledger.pinned_authority() is None
        await ledger.pin_authority("ab" * 32)
    async with opened(tmp_path, create=False) as ledger:
        assert await ledger.pinned_authority() == "ab" * 32


async def test_damage_met_later_is_told_and_stops_nothing_else(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        known = await record(ledger)
        ledger._reader._connection.close()
        with pytest.raises(CannotIssue):
            await ledger.find(known.sha256)
        await record(ledger)
