"""edgeHub for one module: the twin, direct methods, messages.

It behaves as Microsoft's does, faults included where `faults` asks for them.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standin import topics
from standin.broker import Broker
from standin.errors import StandInError
from standin.faults import Delivery, Faults
from standin.identity import ModuleIdentity
from standin.rules import Refused, read_patch
from standin.twin import Document, Twin

LARGEST_ANSWER = 128 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A message that the module sent from one of its outputs."""

    output: str
    body: bytes = field(repr=False)
    content_type: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A patch of reported properties as the module sent it, when, and what edgeHub answered."""

    at: float
    patch: Document
    status: int


class EdgeHub(Broker):
    """A broker, and what it knows of the module."""

    def __init__(self, identity: ModuleIdentity, faults: Faults, changed: Callable[[], None]) -> None:
        super().__init__(identity, faults, changed)
        self.twin = Twin()
        self.messages: list[Message] = []
        self.reports: list[Report] = []
        self.twin_reads = 0
        self._held: list[tuple[str, bytes]] = []
        self._calls: dict[str, asyncio.Future[tuple[int, Any]]] = {}
        self._requests = itertools.count(1)

    def whole_twin(self) -> Document:
        """The twin, as it is read by HTTP."""
        return self.twin.document()

    def want(self, desired: Document, patch: Document) -> None:
        """Set the desired properties, and tell the module by a patch."""
        self.twin = self.twin.wanting(desired)
        version = self.twin.desired_version
        told = dict(patch)
        if self.faults.metadata:
            told["$metadata"] = {"$lastUpdatedVersion": version}
        if self.faults.delivery is not Delivery.UNVERSIONED:
            told["$version"] = version
        change = topics.desired_patch(version), _json(told)
        if self.faults.delivery is Delivery.HELD:
            self._held.append(change)
        elif self.faults.delivery is not Delivery.SKIPPED:
            self._send(*change)

    def babble(self, payload: bytes) -> None:
        """Send any bytes as if they were a change of the desired properties."""
        self._send(topics.desired_patch(self.twin.desired_version), payload)

    def release(self, *, reverse: bool) -> None:
        """Send the changes that were held."""
        held, self._held = self._held, []
        for change in reversed(held) if reverse else held:
            self._send(*change)

    async def invoke(self, name: str, payload: Any, seconds: float) -> tuple[int, Any]:
        """Call a direct method. Raises StandInError when nobody listens, or nobody answers in time."""
        request = str(next(self._requests))
        answer: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        self._calls[request] = answer
        try:
            if not self._send(topics.method_call(name, request), _json(payload)):
                raise StandInError("The module is not there to be called: not connected, or without direct methods.")
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise StandInError(f"The module did not answer {name} within {seconds:g} s.") from None
        finally:
            del self._calls[request]

    def _hear(self, topic: str, payload: bytes) -> None:
        match topics.understand(topic):
            case topics.TwinRead(request):
                self._answer_read(request)
            case topics.TwinReport(request):
                self._answer_report(request, payload)
            case topics.MethodAnswer(request, status):
                self._take_answer(request, status, payload)
            case topics.Event() as event:
                message = Message(event.output, payload, event.content_type, event.properties)
                self.messages.append(message)
            case None:
                self.broken_rules.append(f"The topic {topic} is none of a module's.")

    def _answer_read(self, request: str) -> None:
        self.twin_reads += 1
        twin = self.twin.document()
        if self.faults.metadata:
            twin = {name: {**part, "$metadata": {}} for name, part in twin.items()}
        if self.faults.twin_empty:
            twin = {"desired": {}, "reported": {}}
        self._answer(self.faults.twin_status or 200, request, _json(twin))

    def _answer_report(self, request: str, payload: bytes) -> None:
        patch: Document = {}
        status = self.faults.twin_status or 204
        try:
            patch = read_patch(payload)
        except Refused as reason:
            self.broken_rules.append(str(reason))
            status = 400
        if status == 204:
            self.twin = self.twin.saying(patch)
        self.reports.append(Report(time.monotonic(), patch, status))
        self._answer(status, request, b"", self.twin.reported_version)

    def _answer(self, status: int, request: str, body: bytes, version: int | None = None) -> None:
        if self.faults.lost_answers:
            self.faults.lost_answers -= 1
            return
        topic = topics.twin_answer(status, request, version)
        payload = body if status < 300 else b""
        if self.faults.answer_delay:
            asyncio.get_running_loop().call_later(self.faults.answer_delay, self._send, topic, payload)
        else:
            self._send(topic, payload)

    def _take_answer(self, request: str, status: int, payload: bytes) -> None:
        answer = self._calls.get(request)
        if answer is None or answer.done():
            return
        if len(payload) > LARGEST_ANSWER:
            answer.set_exception(StandInError(f"The answer has {len(payload)} bytes; IoT Hub takes {LARGEST_ANSWER}."))
        else:
            answer.set_result((status, json.loads(payload or b"null")))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
