"""What a direct method is, and what it may touch."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nestor.app.answer import Answer
from nestor.app.server import Server
from nestor.app.status import Status
from nestor.ca.authority import LocalAuthority
from nestor.document import Document
from nestor.errors import CannotIssue
from nestor.ledger.sqlite import SQLiteLedger


class Nothing(Document):
    """A payload without keys; null will do."""


@dataclass(frozen=True, slots=True)
class Office:
    """What a method works with. Everything may raise CannotIssue."""

    server: Server
    read_status: Callable[[], Awaitable[Status]]

    @property
    def ledger(self) -> SQLiteLedger:
        """The ledger, unless it is lost."""
        ledger = self.server.ground.ledger
        if isinstance(ledger, SQLiteLedger):
            return ledger
        raise CannotIssue(ledger.problem())

    @property
    def authority(self) -> LocalAuthority:
        """The CA, unless it is lost or not made yet."""
        authority = self.server.house.authority
        if isinstance(authority, LocalAuthority):
            return authority
        raise CannotIssue(authority.problem())

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.server.ground.clock.now()


@dataclass(frozen=True, slots=True)
class Method:
    """A direct method: from the document of its payload to that of its answer. `changes` is told in the log."""

    name: str
    payload: type[Document]
    answer: type[Answer]
    handle: Callable[[Office, Any], Coroutine[Any, Any, Answer]]
    changes: bool = False

    @property
    def summary(self) -> str:
        """What it is for, in a paragraph."""
        return " ".join((self.handle.__doc__ or "").split())
