"""What is on its way to a server above: on the disk before it is sent, gone with its certificate or with a refusal."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nestor.conveyance import Intent
from nestor.model import Replay
from support.asking import NOW
from support.entries import NOON, an_entry
from support.ledgers import opened

INTENT = Intent(b"key", NOW.replace(microsecond=0), "pump-1", "estIdentity", "default", b"spki")


async def test_an_intent_outlives_the_process(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.intend(INTENT)
    async with opened(tmp_path, create=False) as ledger:
        assert await ledger.intents() == [INTENT]


async def test_the_same_request_sent_again_is_one_intent_of_a_later_time(tmp_path: Path) -> None:
    later = replace(INTENT, sent_at=INTENT.sent_at + timedelta(seconds=5))
    async with opened(tmp_path) as ledger:
        await ledger.intend(INTENT)
        await ledger.intend(later)
        assert await ledger.intents() == [later]


async def test_it_ends_with_the_certificate_that_came_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.intend(INTENT)
        await ledger.intend(replace(INTENT, key=b"other"))
        entry = an_entry()
        replay = Replay(INTENT.key, entry.issued_at + timedelta(minutes=2))
        await ledger.record(entry, replay=replay, one_time=None)
        assert [intent.key for intent in await ledger.intents()] == [b"other"]
        await ledger.intend(INTENT)
        await ledger.record(an_entry("pump-2"), replay=replay, one_time=None)
        assert [intent.key for intent in await ledger.intents()] == [b"other"]


async def test_it_is_forgotten_after_a_month_though_nothing_is_issued(tmp_path: Path) -> None:
    old = replace(INTENT, key=b"old", sent_at=NOON - timedelta(days=31))
    young = replace(INTENT, key=b"young", sent_at=NOON - timedelta(days=29))
    async with opened(tmp_path) as ledger:
        await ledger.intend(old)
        await ledger.intend(young)
    async with opened(tmp_path, create=False) as ledger:
        await ledger.settle(b"another")
        assert [intent.key for intent in await ledger.intents()] == [b"young"]


async def test_it_ends_where_nothing_came_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.intend(INTENT)
        await ledger.settle(INTENT.key)
        assert await ledger.intents() == []
