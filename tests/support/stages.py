"""A server without a port, in the loop of a test: its settings can be changed, its clock set ahead, its voice heard."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestor.app.clock import SystemClock
from nestor.app.house import Ground, House, build_house
from nestor.app.server import Plan, Server, prepare_ground
from nestor.ca.clock_guard import ClockGuard
from nestor.settings import Settings, judge

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
        self.plan = Plan(self.read, [], data, [self.told.append], _no_welcome)
        self.grounds: list[Ground] = []

    def read(self) -> Settings:
        return judge(self.document)

    async def start(self) -> Server:
        """A server as `nestor serve` starts it."""
        ground = await prepare_ground(self.plan)
        ground = replace(ground, clock=self.clock, guard=ClockGuard(self.clock, await ground.ledger.newest()))
        self.grounds.append(ground)
        return Server(self.plan, ground, await build_house(self.read(), ground))

    async def close(self) -> None:
        for ground in self.grounds:
            await ground.ledger.close()
        self.grounds.clear()


def _no_welcome(house: House, addresses: Sequence[tuple[str, int]]) -> None:
    """Nobody reads it here."""
