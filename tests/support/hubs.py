"""An honest edgeHub in memory: the Hub port as plainly as it can be written, for tests of other rooms.

It keeps the promises of the one behind the real SDK, and refuses what edgeHub refuses: `tests/contract/test_hub.py`
holds both to them. Whoever tests plays the cloud: patches the desired properties, invokes methods, takes the link away.
"""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nestor.cloud import LinkState, Message, MethodAnswer
from nestor.document import merge
from nestor.errors import Unavailable
from nestor.ports import ModuleSide
from standin.rules import faults


class MemoryHub:
    """An edgeHub that is there, as long as the test lasts, or until it goes away."""

    def __init__(self, desired: Mapping[str, Any] | None = None, version: int = 1) -> None:
        self.desired: Mapping[str, Any] = copy.deepcopy(dict(desired or {}))
        self.version = version
        self.reported: Mapping[str, Any] = {}
        self.patches: list[Mapping[str, Any]] = []
        self.messages: list[Message] = []
        self._side: ModuleSide | None = None
        self._link = LinkState(connected=False, since=_now(), sentence="Nobody has connected yet.")

    # What the module sees.

    @property
    def link(self) -> LinkState:
        """Whether it is there."""
        return self._link

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Take a patch of the reported properties. Raises Unavailable for one that edgeHub does not take, too."""
        self._check_that_it_is_there()
        for fault in faults(patch):
            raise Unavailable(f"edgeHub refused the reported properties with status 400: {fault}")
        self.patches.append(copy.deepcopy(dict(patch)))
        self.reported = merge(self.reported, copy.deepcopy(dict(patch)))

    async def send(self, message: Message) -> None:
        """Take a message."""
        self._check_that_it_is_there()
        self.messages.append(message)

    # What the cloud does.

    async def connect(self, side: ModuleSide) -> None:
        """Let a module connect: it hears of the link, of its reported properties and of its desired ones."""
        self._side = side
        await self.come_back()

    async def patch_desired(self, patch: Mapping[str, Any]) -> None:
        """Change the desired properties; the module hears of it, if it is connected."""
        self.desired = merge(self.desired, copy.deepcopy(dict(patch)))
        self.version += 1
        await self.reread()

    async def set_desired(self, document: Mapping[str, Any], version: int) -> None:
        """Put other desired properties in place of them, of any version."""
        self.desired, self.version = copy.deepcopy(dict(document)), version
        await self.reread()

    async def reread(self) -> None:
        """Let the module read its twin again."""
        if self._side is not None and self._link.connected:
            await self._side.reported(copy.deepcopy(dict(self.reported)))
            await self._side.desired(copy.deepcopy(dict(self.desired)), self.version)

    async def invoke(self, method: str, payload: object = None) -> MethodAnswer:
        """Call a direct method."""
        if self._side is None or not self._link.connected:
            raise AssertionError("Nobody is connected who could be called.")
        return await self._side.invoke(method, payload)

    def go_away(self, sentence: str = "edgeHub closed the connection.") -> None:
        """Be away from now on."""
        self._tell(LinkState(connected=False, since=_now(), sentence=sentence))

    async def come_back(self) -> None:
        """Be there again."""
        self._tell(LinkState(connected=True, since=_now()))
        await self.reread()

    def _tell(self, state: LinkState) -> None:
        self._link = state
        if self._side is not None:
            self._side.link_changed(state)

    def _check_that_it_is_there(self) -> None:
        if not self._link.connected:
            raise Unavailable(f"edgeHub is not connected: {self._link.sentence}")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- a stand-in lives in the present
