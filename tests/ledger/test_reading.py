"""What is read is what is committed, whoever else has the ledger open."""

from contextlib import closing
from pathlib import Path

from nestor.ledger.connection import connect
from nestor.ledger.reading import Reader
from nestor.ledger.transaction import Transaction, commit
from support.entries import an_entry
from support.ledgers import opened


async def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    path, entry = tmp_path / "ledger.db", an_entry()
    with closing(Reader(path)) as reader, closing(connect(path, writable=True)) as connection:

        def looked_at(transaction: Transaction) -> None:
            transaction.record(entry, None, None)
            assert reader.find(entry.sha256) is None

        commit(connection, [looked_at])
        assert reader.find(entry.sha256)


async def test_a_reader_that_stays_open_does_not_keep_others_from_writing(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        with closing(Reader(tmp_path / "ledger.db")) as reader:
            assert not reader.newest(1)
            await ledger.record(an_entry(), replay=None, one_time=None)
            assert reader.newest(1)
