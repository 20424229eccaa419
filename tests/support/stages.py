"""A server without a port, in the loop of a test: its settings can be changed, its clock turned, its voice heard."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestor.app.house import Ground, House, build_house
from nestor.app.server import Plan, Server, prepare_ground
from nestor.settings import Settings, judge

if TYPE_CHECKING:
    from nestor.events import Event


class Stage:
    """The plan of a server, its grounds, and what it has told."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.document: dict[str, Any] = {}
        self.told: list[Event] = []
        self.plan = Plan(self.read, [], data, [self.told.append], _no_welcome)
        self.grounds: list[Ground] = []

    def read(self) -> Settings:
        return judge(self.document)

    async def open(self) -> Server:
        ground = await prepare_ground(self.plan)
        self.grounds.append(ground)
        return Server(self.plan, ground, await build_house(self.read(), ground))

    async def close(self) -> None:
        for ground in self.grounds:
            await ground.ledger.close()
        self.grounds.clear()


def _no_welcome(house: House, addresses: Sequence[tuple[str, int]]) -> None:
    """Nobody reads it here."""
