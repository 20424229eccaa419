"""Ledgers opened: new, as they were, lost, foreign, cut off or damaged."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nestor.errors import MaterialError, NestorError
from nestor.ledger.connection import connect
from nestor.ledger.listing import Selection
from support.entries import NOON, a_replay, an_entry
from support.ledgers import opened

FILE = "ledger.db"


async def fill(place: Path, entries: int = 40) -> list[bytes]:
    """A ledger with entries in it, and their SHA-256."""
    async with opened(place, create=not (place / FILE).exists()) as ledger:
        recorded = [
            await ledger.record(an_entry(f"pump-{n}"), replay=a_replay(), one_time=None) for n in range(entries)
        ]
    return [entry.sha256 for entry in recorded]


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


async def refused(place: Path, *, create: bool = False) -> MaterialError:
    with pytest.raises(MaterialError) as caught:
        async with opened(place, create=create):
            pass
    assert caught.value.hint
    return caught.value


async def test_a_ledger_that_never_existed_is_made(tmp_path: Path) -> None:
    async with opened(tmp_path, create=True) as ledger:
        assert await ledger.newest() is None
    assert names(tmp_path) == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_ledger_that_is_there_is_opened_as_it_is(tmp_path: Path) -> None:
    (sha256, *_) = await fill(tmp_path)
    async with opened(tmp_path, create=True) as ledger:
        assert await ledger.find(sha256)


async def test_a_lost_ledger_is_not_made_anew(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / FILE).unlink()
    assert "is gone" in (await refused(tmp_path)).sentence
    assert not names(tmp_path)


@pytest.mark.parametrize("trace", ["revocations.log", "ledger.db-wal"])
async def test_traces_of_an_earlier_ledger_speak_against_making_one(tmp_path: Path, trace: str) -> None:
    (tmp_path / trace).write_bytes(b"")
    assert trace in (await refused(tmp_path, create=True)).sentence


@pytest.mark.parametrize("content", [b"", b"\n", b"no database " * 1000])
async def test_a_file_that_is_no_ledger_is_an_error_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert FILE in (await refused(tmp_path, create=True)).sentence
    assert (tmp_path / FILE).read_bytes() == content


async def test_a_foreign_database_is_an_error(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE certificates (id INTEGER)")
    assert "no ledger" in (await refused(tmp_path)).sentence


async def test_a_ledger_of_a_newer_nestor_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path)
    with closing(connect(tmp_path / FILE, writable=True)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer Nestor (revision 9999" in (await refused(tmp_path)).sentence


async def test_a_directory_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert "no ledger" in (await refused(tmp_path, create=True)).sentence


async def test_a_data_directory_that_is_missing_is_an_error(tmp_path: Path) -> None:
    assert "No such file" in (await refused(tmp_path / "nowhere", create=True)).sentence


def test_a_ledger_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    program = (
        "import asyncio, pathlib, sys\n"
        "from support.ledgers import opened\n"
        "async def main():\n"
        "    async with opened(pathlib.Path(sys.argv[1]), create=False): pass\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    search = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=search, check=True)


async def explore(place: Path, known: list[bytes]) -> int | None:
    """Use a damaged ledger in every way: how many entries it still knows, or None where it says that it is damaged."""
    try:
        async with opened(place, create=True) as ledger:
            found = [await ledger.find(sha256) for sha256 in known]
            await ledger.record(an_entry(), replay=None, one_time=None)
            await ledger.page(Selection(), limit=1000)
    except NestorError:
        return None
    return sum(entry is not None for entry in found)


async def test_a_ledger_cut_off_anywhere_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    known = await fill(whole)
    size = (whole / FILE).stat().st_size
    for length in sorted({*range(0, size, size // 60), 1, 15, 16, 99, 100, 4095, 4096, size - 1}):
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(whole, cut)
        os.truncate(cut / FILE, length)
        assert await explore(cut, known) is None, length


async def living_copy(place: Path, copy: Path) -> list[bytes]:
    """Copy a ledger while it is open, as a power cut would leave it; the SHA-256 of its entries, in their order."""
    known = await fill(place)
    async with opened(place, create=False) as ledger:
        for n in range(20):
            recorded = await ledger.record(an_entry(f"valve-{n}"), replay=a_replay(), one_time=None)
            known.append(recorded.sha256)
        shutil.copytree(place, copy)
    (copy / f"{FILE}-shm").unlink()
    return known


async def test_a_cut_off_write_ahead_log_loses_its_tail_and_nothing_before(tmp_path: Path) -> None:
    whole, copy, cut = tmp_path / "whole", tmp_path / "copy", tmp_path / "cut"
    whole.mkdir()
    known = await living_copy(whole, copy)
    size = (copy / f"{FILE}-wal").stat().st_size
    counts = []
    for length in sorted({*range(0, size, size // 40), 1, 31, 32, 33, size - 1, size}):
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(copy, cut)
        os.truncate(cut / f"{FILE}-wal", length)
        count = await explore(cut, known)
        assert count is not None, length
        counts.append(count)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (40, 60)


async def test_a_file_cut_off_under_its_write_ahead_log_is_never_silently_short(tmp_path: Path) -> None:
    whole, copy, cut = tmp_path / "whole", tmp_path / "copy", tmp_path / "cut"
    whole.mkdir()
    known = await living_copy(whole, copy)
    size = (copy / FILE).stat().st_size
    for length in range(0, size, size // 20):
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(copy, cut)
        os.truncate(cut / FILE, length)
        assert await explore(cut, known) in {None, len(known)}, length


@pytest.mark.parametrize("damage", ["state = 'active?'", "method = 'magic'", "not_after = 'soon'", "issued_at = 1e30"])
async def test_a_row_that_cannot_be_read_is_damage(tmp_path: Path, damage: str) -> None:
    await fill(tmp_path)
    with closing(connect(tmp_path / FILE, writable=True)) as connection:
        connection.execute(f"UPDATE certificates SET {damage}")
    assert "damaged" in (await refused(tmp_path)).sentence


@pytest.mark.parametrize(
    "damage",
    [
        lambda connection: connection.execute("DELETE FROM encodings WHERE certificate_id = 40"),
        lambda connection: connection.execute("UPDATE certificates SET sha256 = x'00' WHERE id = 40"),
    ],
)
async def test_a_row_that_is_not_whole_does_not_authenticate(
    tmp_path: Path, damage: Callable[[sqlite3.Connection], object]
) -> None:
    known = await fill(tmp_path)
    with closing(connect(tmp_path / FILE, writable=True)) as connection:
        damage(connection)
    async with opened(tmp_path, create=False) as ledger:
        assert await ledger.find(known[-1]) is None
        assert await ledger.find(known[-2])


async def test_revocations_that_a_restored_ledger_forgot_are_made_again(tmp_path: Path) -> None:
    known = await fill(tmp_path)
    shutil.copy(tmp_path / FILE, tmp_path / "backup")
    async with opened(tmp_path, create=False) as ledger:
        revoked = await ledger.revoke(known[7], "stolen from  a\ncabinet", NOON)
    shutil.copy(tmp_path / "backup", tmp_path / FILE)
    async with opened(tmp_path, create=False) as ledger:
        again = await ledger.find(known[7])
        assert (await ledger.counters()).revoked == 1
    assert again
    assert (again.state, again.revoked_at) == (revoked.state, NOON)
    assert again.revocation_reason == "stolen from a cabinet"


async def test_a_damaged_file_of_revocations_keeps_the_ledger_closed(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / "revocations.log").write_text("2026-05-04T12:00:00Z zz zz lost\n")
    assert "Line 1" in (await refused(tmp_path)).sentence
