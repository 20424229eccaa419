"""Many errands of an operator, one after the other, several in flight so that the ledger commits them in groups.

What is refused is told and the next one follows; what keeps anything from being issued ends the batch. It keeps no
state of its own: started again, it finds in the ledger what was issued, and writes what files are missing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from nestor.app.delivery import Delivery, MadeKey
from nestor.app.factory import Factory
from nestor.app.item import Item, make_request, plain, read_request
from nestor.errors import CannotIssue, Malformed, MaterialError, NestorError
from nestor.model import CertificationRequest, Entry, Errand, KeyType
from nestor.naming import fold
from nestor.registrar.counter import Handed

IN_FLIGHT = 64
"""How many errands wait for the ledger together; more make larger groups, and longer waits for a server beside."""


class Status(StrEnum):
    """What became of a row."""

    ISSUED = "issued"
    FOUND = "issued before"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    where: str
    name: str
    status: Status
    entry: Entry | None = None
    file: Path | None = None
    key: Path | None = None
    fault: NestorError | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an operator wants of all rows: the keys that are made here, and whether what is live is replaced."""

    key_type: KeyType | None = None
    passphrase: str | None = field(default=None, repr=False)
    replace: bool = False


@dataclass(slots=True)
class _Row:
    """What has been found out about one row so far; a refusal tells as much as is known."""

    item: Item
    name: str
    made: MadeKey | None = None


class Batch:
    """One run over rows; every name is served once."""

    def __init__(self, factory: Factory, delivery: Delivery, wishes: Wishes) -> None:
        self._factory = factory
        self._delivery = delivery
        self._wishes = wishes
        self._served: dict[str, str] = {}

    async def run(self, items: Iterable[Item], told: Callable[[Outcome], None]) -> None:
        """Serve rows, and tell of each in their order. Raises CannotIssue or MaterialError where it cannot go on."""
        flying: deque[asyncio.Task[Outcome]] = deque()
        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    flying.append(group.create_task(self._serve(item)))
                    if len(flying) >= IN_FLIGHT:
                        told(await flying.popleft())
                while flying:
                    told(await flying.popleft())
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _serve(self, item: Item) -> Outcome:
        row = _Row(item, plain(item.name or ""))
        try:
            csr = await self._request(row)
            self._delivery.check_free(row.name, csr.spki)
            handed = await self._factory.counter.issue(self._errand(row, csr))
        except NestorError as fault:
            if isinstance(fault, CannotIssue) and self._factory.problem() is not None:
                raise
            if row.made is not None and row.made.fresh:
                self._delivery.drop_key(row.name)
            return Outcome(item.where, row.name, Status.REFUSED, fault=fault)
        return self._delivered(row, handed)

    async def _request(self, row: _Row) -> CertificationRequest:
        """The request of a row: the one that was sent, or one for the key that is made here, or was before."""
        item = row.item
        if item.fault is not None:
            raise item.fault
        self._factory.check_profile(item.profile)
        if item.request is not None:
            csr = read_request(item.request)
            row.name = row.name or plain(csr.common_name)
            if not row.name:
                raise Malformed("The request has no common name, so it is for nobody.", "List it with a name.")
            self._claim(row)
            return csr
        self._claim(row)
        kind = self._factory.key_type(item.profile, self._wishes.key_type)
        row.made = await asyncio.to_thread(self._delivery.key, row.name, kind, self._wishes.passphrase)
        return make_request(item, row.made.key, ca=self._factory.catalog.traits(item.profile).ca)

    def _claim(self, row: _Row) -> None:
        """Every name is served once: two rows of one name would be two devices of one identity."""
        self._delivery.certificate_path(row.name)
        first = self._served.setdefault(fold(row.name), row.item.where)
        if first != row.item.where:
            raise MaterialError(f"The name {row.name} stands in {first} already.", "Give every device its own name.")

    def _errand(self, row: _Row, csr: CertificationRequest) -> Errand:
        return Errand(
            csr=csr,
            profile=row.item.profile,
            name=row.item.name,
            alternative_names=row.item.alternative_names,
            by_key=row.made is not None,
            replace=self._wishes.replace,
        )

    def _delivered(self, row: _Row, handed: Handed) -> Outcome:
        file = self._delivery.put(row.name, handed.entry)
        key = None if row.made is None else self._delivery.key_path(row.name)
        status = Status.FOUND if handed.found else Status.ISSUED
        return Outcome(row.item.where, row.name, status, handed.entry, file, key)
