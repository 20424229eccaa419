"""edgeHub for one module: MQTT 3.1.1 over TLS, the twin, direct methods, messages. It lives in one event loop.

It behaves as Microsoft's does, faults included where `faults` asks for them.
"""

import asyncio
import itertools
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standin import mqtt, topics
from standin.errors import StandInError
from standin.faults import Delivery, Faults, Refusal
from standin.identity import ModuleIdentity
from standin.rules import Refused, read_patch
from standin.session import Connection, Session
from standin.twin import Document, Twin

PORT = 8883
LARGEST_MESSAGE = 256 * 1024
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


class EdgeHub:
    """The broker, and what it knows of the module. `changed` is called whenever that is something new."""

    def __init__(self, identity: ModuleIdentity, faults: Faults, changed: Callable[[], None]) -> None:
        self.identity = identity
        self.faults = faults
        self.twin = Twin()
        self.messages: list[Message] = []
        self.reports: list[Report] = []
        self.broken_rules: list[str] = []
        self.visitors: list[mqtt.Connect] = []
        self.refused = 0
        self.twin_reads = 0
        self._changed = changed
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._member: Connection | None = None
        self._session: Session | None = None
        self._held: list[tuple[str, bytes]] = []
        self._calls: dict[str, asyncio.Future[tuple[int, Any]]] = {}
        self._requests = itertools.count(1)

    @property
    def listening(self) -> bool:
        """Whether it is there."""
        return self._server is not None

    @property
    def connected(self) -> bool:
        """Whether the module is connected."""
        return self._member is not None

    @property
    def subscriptions(self) -> frozenset[str]:
        """What the module subscribed to."""
        return frozenset(self._session.filters if self._session else ())

    async def open(self, address: str, context: ssl.SSLContext) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, address, PORT, ssl=context)

    def close(self) -> None:
        """Go away: no port, no connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()

    def drop(self) -> None:
        """Break every connection off."""
        for connection in tuple(self._connections):
            connection.drop()

    def forget(self) -> None:
        """Forget the session, as an edgeHub made anew without its storage."""
        self.drop()
        self._session = None

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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self._connections.add(connection)
        try:
            if await self._admit(connection):
                while self._take(connection, await connection.read()):
                    pass
        except (EOFError, OSError, mqtt.Malformed):
            pass  # the peer is gone, or talks nonsense: both end here
        finally:
            self._connections.discard(connection)
            if self._member is connection:
                self._member = None
            connection.close()
            self._changed()

    async def _admit(self, connection: Connection) -> bool:
        visitor = await connection.read()
        if not isinstance(visitor, mqtt.Connect):
            return False
        refusal, seconds = self._judge(visitor)
        if refusal is not None:
            self.refused += 1
            connection.send(mqtt.connack(refusal))
            return False
        if self._member is not None:
            self._member.drop()  # 3.1.4: the newcomer is the same client
        present = self._session is not None and not visitor.clean
        self._session = self._session if present else Session()
        self._member = connection
        self.visitors.append(visitor)
        connection.keep_alive(visitor.keep_alive)
        connection.send(mqtt.connack(0, session_present=present))
        asyncio.get_running_loop().call_later(seconds, connection.drop)
        self._changed()
        return True

    def _judge(self, visitor: mqtt.Connect) -> tuple[Refusal | None, float]:
        """Why a visitor is turned away, if so; and for how many seconds the token of another is good."""
        if self.faults.refusal is not None:
            return self.faults.refusal, 0
        if visitor.client != self.identity.client:
            return Refusal.NOT_AUTHORIZED, 0
        expiry = self.identity.expiry(visitor.user_name, visitor.password)
        seconds = 0 if expiry is None else expiry - time.time()
        return (None, seconds) if seconds > 0 else (Refusal.NOT_AUTHORIZED, 0)

    def _take(self, connection: Connection, packet: mqtt.Packet) -> bool:
        """Do what a packet asks; False when it was the last."""
        session = self._session or Session()
        match packet:
            case mqtt.Publish():
                return self._take_message(connection, packet)
            case mqtt.Subscribe(number, filters):
                session.filters.update(pattern for pattern, _ in filters)
                connection.send(mqtt.suback(number, tuple(min(quality, 1) for _, quality in filters)))
                self._changed()
            case mqtt.Unsubscribe(number, patterns):
                session.filters.difference_update(patterns)
                connection.send(mqtt.unsuback(number))
            case mqtt.Ping():
                connection.send(mqtt.pingresp())
            case mqtt.Connect() | mqtt.Disconnect():
                return False
            case mqtt.Acknowledgment():
                pass
        return True

    def _take_message(self, connection: Connection, packet: mqtt.Publish) -> bool:
        if len(packet.payload) > LARGEST_MESSAGE:
            self.broken_rules.append(f"A message has {len(packet.payload)} bytes; {LARGEST_MESSAGE} are taken.")
            return False
        if packet.packet is not None and self.faults.acknowledges:
            connection.send(mqtt.puback(packet.packet))
        match topics.understand(packet.topic):
            case topics.TwinRead(request):
                self._answer_read(request)
            case topics.TwinReport(request):
                self._answer_report(request, packet.payload)
            case topics.MethodAnswer(request, status):
                self._take_answer(request, status, packet.payload)
            case topics.Event() as event:
                message = Message(event.output, packet.payload, event.content_type, event.properties)
                self.messages.append(message)
            case None:
                self.broken_rules.append(f"The topic {packet.topic} is none of a module's.")
        self._changed()
        return True

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

    def _send(self, topic: str, payload: bytes) -> bool:
        """Send what the module subscribed to; tells whether it was there to hear it."""
        if self._member is None or self._session is None or not self._session.takes(topic):
            return False
        self._member.publish(topic, payload)
        return True


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
