"""What the cloud, and whoever looks at the wire, sees of the module and can ask of it."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from standin.changes import Changes
from standin.hub import EdgeHub, Message, Report
from standin.loop import PATIENCE, LoopThread
from standin.twin import Document, difference, merged


class Cloud:
    """Twin, methods, messages and connection of one module, for callers in any thread."""

    def __init__(self, hub: EdgeHub, loop: LoopThread, changes: Changes) -> None:
        self._hub = hub
        self._loop = loop
        self._changes = changes

    @property
    def desired(self) -> Document:
        """The desired properties, without their version."""
        return deepcopy(dict(self._hub.twin.desired))

    @property
    def desired_version(self) -> int:
        """The version of the desired properties."""
        return self._hub.twin.desired_version

    @property
    def reported(self) -> Document:
        """The reported properties, without their version."""
        return deepcopy(dict(self._hub.twin.reported))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every patch of reported properties that arrived, in order."""
        return tuple(self._hub.reports)

    @property
    def broken_rules(self) -> tuple[str, ...]:
        """Why edgeHub refused what the module sent, a sentence for each."""
        return tuple(self._hub.broken_rules)

    def patch_desired(self, patch: Document) -> int:
        """Merge a patch into the desired properties, null deletes; tells the new version."""
        return self._loop.do(lambda: self._want(merged(self._hub.twin.desired, patch), patch))

    def replace_desired(self, desired: Document) -> int:
        """Replace all desired properties; tells the new version."""
        return self._loop.do(lambda: self._want(desired, difference(self._hub.twin.desired, desired)))

    def reset_versions(self, version: int = 1) -> None:
        """Let the version of the desired properties start anew, as after the module was made anew in the cloud."""
        self._loop.do(lambda: setattr(self._hub, "twin", replace(self._hub.twin, desired_version=version)))

    def release_patches(self, *, reverse: bool = False) -> None:
        """Send the changes that `Delivery.HELD` kept."""
        self._loop.do(lambda: self._hub.release(reverse=reverse))

    def babble(self, payload: bytes) -> None:
        """Send the module any bytes as if they were a change of the desired properties."""
        self._loop.do(lambda: self._hub.babble(payload))

    def wait_for_reported(self, holds: Callable[[Document], bool], seconds: float = 10) -> Document:
        """The reported properties as soon as something holds of them. Raises StandInError when the time is over."""
        self.wait_until(lambda: holds(self.reported), seconds, lambda: f"reported: {_pretty(self.reported)}")
        return self.reported

    def invoke(self, method: str, payload: Any = None, seconds: float = 10) -> tuple[int, Any]:
        """Call a direct method: its status and its answer. Raises StandInError when there is none."""
        return self._loop.call(self._hub.invoke(method, payload, seconds), seconds + PATIENCE)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message that the module sent, in order."""
        return tuple(self._hub.messages)

    def wait_for_messages(self, count: int, seconds: float = 10) -> tuple[Message, ...]:
        """All messages, as soon as there are so many."""
        self.wait_until(lambda: len(self.messages) >= count, seconds, lambda: f"messages: {self.messages}")
        return self.messages

    @property
    def hub_present(self) -> bool:
        """Whether edgeHub is there."""
        return self._hub.listening

    @property
    def connected(self) -> bool:
        """Whether the module is connected."""
        return self._hub.connected

    @property
    def connections(self) -> int:
        """How many times the module has connected."""
        return len(self._hub.visitors)

    @property
    def refusals(self) -> int:
        """How many times somebody was turned away."""
        return self._hub.refused

    @property
    def user_name(self) -> str:
        """The user name of the last CONNECT: api-version, product, model id."""
        return self._hub.visitors[-1].user_name if self._hub.visitors else ""

    @property
    def subscriptions(self) -> frozenset[str]:
        """The topics that the module subscribed to."""
        return self._hub.subscriptions

    @property
    def twin_reads(self) -> int:
        """How many times the module has asked for its twin."""
        return self._hub.twin_reads

    def wait_connected(self, seconds: float = 10) -> None:
        """Wait until the module is connected."""
        self.wait_until(lambda: self.connected, seconds, lambda: "nobody is connected")

    def wait_until(
        self, holds: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "nothing more is known"
    ) -> None:
        """Wait until something holds, asked at every change here and now and then. Raises StandInError in the end."""
        self._changes.wait_until(holds, seconds, told)

    def _want(self, desired: Document, patch: Document) -> int:
        self._hub.want(desired, patch)
        self._changes.notify()
        return self._hub.twin.desired_version


def _pretty(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1)
