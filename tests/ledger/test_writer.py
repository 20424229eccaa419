"""The one thread that writes: groups, answers after the commit, and what becomes of those who left."""

import asyncio
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nestor.errors import CannotIssue, MaterialError
from nestor.ledger import writer as writer_module
from nestor.ledger.sqlite import SQLiteLedger
from nestor.ledger.transaction import Transaction
from nestor.ledger.writer import Writer
from nestor.model import Entry
from support.commits import commits
from support.entries import a_refusal, a_replay, an_entry
from support.ledgers import NoonClock, opened


async def enroll(ledger: SQLiteLedger, entry: Entry | None = None) -> Entry:
    return await ledger.record(entry or an_entry(), replay=a_replay(), one_time=None)


async def wait_for(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- another thread brings it about
            await asyncio.sleep(0.02)


async def test_those_who_wait_together_share_one_commit(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await enroll(ledger)
        before = commits(tmp_path / "ledger.db")
        await asyncio.gather(*(enroll(ledger) for _ in range(64)))
        assert commits(tmp_path / "ledger.db") - before <= 4


async def test_each_answer_has_its_commit_behind_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await enroll(ledger)
        before = commits(tmp_path / "ledger.db")
        for _ in range(10):
            await enroll(ledger)
        assert commits(tmp_path / "ledger.db") - before == 10


async def test_somebody_who_gave_up_waiting_is_recorded_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        entry = an_entry()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(enroll(ledger, entry), timeout=0)
        impatient = asyncio.ensure_future(enroll(ledger, entry := an_entry()))
        await asyncio.sleep(0)
        impatient.cancel()
        await enroll(ledger)
        assert await ledger.find(entry.sha256)


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        waiting = [asyncio.ensure_future(enroll(ledger)) for _ in range(20)]
        ledger.refuse(a_refusal())
        await asyncio.sleep(0)
    entries = await asyncio.gather(*waiting)
    async with opened(tmp_path, create=False) as ledger:
        assert all([await ledger.find(entry.sha256) for entry in entries])
        assert len(await ledger.refusals(10)) == 1


async def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        pass
    with pytest.raises(CannotIssue, match="closed"):
        await enroll(ledger)


async def test_an_act_that_fails_in_any_way_harms_neither_its_neighbors_nor_the_thread(tmp_path: Path) -> None:
    def strange(_: Transaction) -> None:
        raise ZeroDivisionError

    async with opened(tmp_path) as ledger:
        outcomes = await asyncio.gather(
            enroll(ledger), enroll(ledger, an_entry("pump-\ud800")), enroll(ledger), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [Entry, CannotIssue, Entry]
        with pytest.raises(CannotIssue):
            await ledger._writer.run(strange)
        assert ledger.problem() is None
        await enroll(ledger)


async def test_a_ledger_that_was_replaced_while_in_use_takes_nothing_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await enroll(ledger)
        (tmp_path / "ledger.db").rename(tmp_path / "elsewhere")
        with pytest.raises(CannotIssue, match="replaced"):
            await enroll(ledger)
        (tmp_path / "elsewhere").rename(tmp_path / "ledger.db")
        await wait_for(lambda: ledger.problem() is None)
        await enroll(ledger)


async def test_expired_replay_keys_are_forgotten_now_and_then(tmp_path: Path) -> None:
    class Leaping(NoonClock):
        ahead = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    async with opened(tmp_path):
        pass
    clock = Leaping()
    writer = Writer(tmp_path / "ledger.db", 10, clock)
    replay, early = a_replay(), an_entry()
    await writer.run(lambda transaction: transaction.record(early, replay, None))
    clock.ahead = 61.0
    late = an_entry(issued_at=replay.until)
    await writer.run(lambda transaction: transaction.record(late, None, None))
    kept = await writer.run(lambda transaction: transaction._run("SELECT count(*) FROM replays").fetchone())
    writer.stop()
    writer.join()
    writer.close()
    assert kept == (0,)


async def test_a_flood_of_refusals_is_bounded_counted_and_in_nobodys_way(tmp_path: Path) -> None:
    async with opened(tmp_path, kept_refusals=100) as ledger:
        await enroll(ledger)
        before = commits(tmp_path / "ledger.db")
        for n in range(20_000):
            ledger.refuse(a_refusal(request_id=str(n)))
        await enroll(ledger)
        assert commits(tmp_path / "ledger.db") - before <= 5
    async with opened(tmp_path, create=False) as ledger:
        kept = await ledger.refusals(1000)
        assert len(kept) == 100
        assert (await ledger.counters()).refused == {"Forbidden": 20_000}


async def test_a_refusal_is_written_without_anybody_asking(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        ledger.refuse(a_refusal())
        await wait_for(lambda: bool(ledger._reader.refusals(1)))


async def enroll_while_possible(ledger: SQLiteLedger) -> list[Entry]:
    recorded = []
    with suppress(CannotIssue):
        while True:
            recorded.append(await enroll(ledger))
    return recorded


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes, which the test may fill or make read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "nestor-test", place], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def refused_at_once(ledger: SQLiteLedger) -> None:
    """Nothing is signed and nothing recorded, and who asks need not wait to hear it; reading goes on."""
    entry = an_entry()
    before = time.monotonic()
    with pytest.raises(CannotIssue) as caught:
        await enroll(ledger, entry)
    with pytest.raises(CannotIssue):
        await ledger.standing(
            device="pump-1", profile="p", spki_sha256=b"", replay_key=b"", one_time=None, now=entry.issued_at
        )
    assert time.monotonic() - before < 0.1
    assert caught.value.hint
    assert ledger.problem()
    assert await ledger.find(entry.sha256) is None


async def test_a_full_disk_stops_issuing_until_there_is_space(small_disk: Path) -> None:
    async with opened(small_disk) as ledger:
        known = await enroll(ledger)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        recorded = await enroll_while_possible(ledger)
        await refused_at_once(ledger)
        assert await ledger.find(known.sha256)
        filler.unlink()
        await wait_for(lambda: ledger.problem() is None, seconds=2.0)
        recorded.append(await enroll(ledger))
    async with opened(small_disk, create=False) as ledger:
        assert all([await ledger.find(entry.sha256) for entry in [known, *recorded]])


async def test_a_disk_that_fails_stops_issuing_until_it_works_again(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with opened(tmp_path) as ledger:
        await enroll(ledger)
        # From here on every write of this process fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            with pytest.raises(CannotIssue, match="disk"):
                await enroll(ledger)
            await refused_at_once(ledger)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await wait_for(lambda: ledger.problem() is None, seconds=2.0)
        await enroll(ledger)


async def test_a_ledger_on_a_read_only_disk_is_not_opened(small_disk: Path) -> None:
    async with opened(small_disk) as ledger:
        known = await enroll(ledger)
    remount(small_disk, "ro")
    with pytest.raises(MaterialError, match=r"ledger\.db"):
        async with opened(small_disk, create=True):
            pass
    remount(small_disk, "rw")
    async with opened(small_disk, create=False) as ledger:
        assert await ledger.find(known.sha256)


async def test_a_disk_that_hangs_is_told_and_nothing_is_signed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr(writer_module, "_HUNG", 0.05)
    async with opened(tmp_path) as ledger:
        await enroll(ledger)
        stuck = asyncio.ensure_future(ledger._writer.run(lambda _: held.wait(10)))
        try:
            await wait_for(lambda: ledger.problem() is not None)
            assert "has not taken a write for" in (ledger.problem() or "")
            assert ledger.failure() is None  # it may come back
            with pytest.raises(CannotIssue, match="has not taken a write"):
                await ledger.standing(
                    device="d", profile="p", spki_sha256=b"", replay_key=b"", one_time=None, now=an_entry().issued_at
                )
        finally:
            held.set()
        await stuck
        await wait_for(lambda: ledger.problem() is None)
        await enroll(ledger)


async def test_a_thread_that_has_ended_is_a_failure(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        assert ledger.failure() is None
        ledger._writer.stop()
        await wait_for(lambda: not ledger._writer._thread.is_alive())
        assert ledger.failure() is None  # as it was told
        ledger._writer._stopping = False
        assert ledger.failure() == "The thread that writes the ledger has ended."
