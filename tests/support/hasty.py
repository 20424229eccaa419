"""A Nestor that is wrong on purpose: it answers before its ledger has the entry. Run as `nestor` is.

It exists so that a crash test can show that it would notice; the product has no switch for this.
"""

import asyncio
from typing import Any

from nestor.cli import main
from nestor.ledger.sqlite import SQLiteLedger
from nestor.model import Entry

_LATE = 0.2
_durable = SQLiteLedger.record
_waiting: set[asyncio.Future[Entry]] = set()


async def _record_later(ledger: SQLiteLedger, entry: Entry, **rules: Any) -> Entry:
    await asyncio.sleep(_LATE)
    return await _durable(ledger, entry, **rules)


async def _answer_at_once(ledger: SQLiteLedger, entry: Entry, **rules: Any) -> Entry:
    task = asyncio.ensure_future(_record_later(ledger, entry, **rules))
    _waiting.add(task)
    task.add_done_callback(_waiting.discard)
    return entry


if __name__ == "__main__":
    SQLiteLedger.record = _answer_at_once  # type: ignore[method-assign,assignment]  # the mistake that this file is for
    main()
