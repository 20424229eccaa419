"""A server without a port, in the loop of a test: its settings can be changed, its clock set ahead, its voice heard."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestor.app.clock import SystemClock
from nestor.app.ground import prepare_ground
from nestor.app.house import Ground, House, build_house
from nestor.app.plan import Plan
from nestor.app.server import Server, start
from nestor.settings import Settings, judge
from support.documents import check_schema_takes

if TYPE_CHECKING:
    from nestor.events import Event


class TurnedClock(SystemClock):
    """The clocks of the machine, both as many seconds ahead as a test says."""

    ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)  # noqa: TID251 -- this is a Clock

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Stage:
    """The plan of a server, its grounds, and what it has told."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.clock = TurnedClock()
        self.document: dict[str, Any] = {}
        self.told: list[Event] = []
        self.applied: list[Settings] = []
        self.plan = Plan(self.read, [], data, [self.told.append], _no_welcome, self.applied.append, self.clock)
        self.grounds: list[Ground] = []

    def read(self) -> Settings:
        settings = judge(self.document)
        check_schema_takes(self.document)
        return settings

    async def open(self) -> Server:
        """A server as it is before it pins the CA: what a start that goes no further leaves behind."""
        ground = await prepare_ground(self.plan)
        self.grounds.append(ground)
        return Server(self.plan, ground, await build_house(self.read(), ground))

    async def start(self) -> Server:
        """A server as `nestor serve` starts it."""
        server = await start(self.plan)
        self.grounds.append(server._ground)
        return server

    async def close(self) -> None:
        for ground in self.grounds:
            await ground.ledger.close()
        self.grounds.clear()


def _no_welcome(house: House, addresses: Sequence[tuple[str, int]]) -> None:
    """Nobody reads it here."""
