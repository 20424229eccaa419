"""A broker for one client: who may come, what it subscribed to, what it is told. It lives in one event loop."""

import asyncio
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

from standin import mqtt, web
from standin.faults import Faults, Refusal
from standin.identity import ModuleIdentity
from standin.session import Connection, Session
from standin.twin import Document

PORT = 8883
LARGEST_MESSAGE = 256 * 1024

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two tries to open the port."""


class Broker(ABC):
    """MQTT 3.1.1 over TLS. `changed` is called whenever something is new."""

    def __init__(self, identity: ModuleIdentity, faults: Faults, changed: Callable[[], None]) -> None:
        self.identity = identity
        self.faults = faults
        self.broken_rules: list[str] = []
        self.visitors: list[mqtt.Connect] = []
        self.refused = 0
        self._changed = changed
        self._server: asyncio.Server | None = None
        self._web: asyncio.Server | None = None
        self.web_requests: list[web.Request] = []
        self._connections: set[Connection] = set()
        self._member: Connection | None = None
        self._session: Session | None = None

    @abstractmethod
    def _hear(self, topic: str, payload: bytes) -> None:
        """Do what a message of the client asks."""

    @abstractmethod
    def whole_twin(self) -> Document:
        """The twin, as it is read by HTTP."""

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
        """Listen. A port that was just closed may be held for a moment by a process that is being started elsewhere."""
        for pause in _PAUSES:
            with suppress(OSError):
                self._server = await asyncio.start_server(self._serve, address, PORT, ssl=context)
                return
            await asyncio.sleep(pause)
        self._server = await asyncio.start_server(self._serve, address, PORT, ssl=context)

    async def open_web(self, address: str, context: ssl.SSLContext) -> None:
        """Listen for HTTPS as well."""
        self._web = await asyncio.start_server(self._serve_web, address, web.PORT, ssl=context)

    def close(self) -> None:
        """Go away: no port, no connections."""
        if self._web is not None:
            self._web.close()
            self._web = None
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()

    def drop(self) -> None:
        """Break every connection off: nobody is connected from here on, though each hears of it in its own turn."""
        self._member = None
        for connection in tuple(self._connections):
            connection.drop()

    def forget(self) -> None:
        """Forget the session, as an edgeHub made anew without its storage."""
        self.drop()
        self._session = None

    def unsubscribe(self) -> None:
        """Forget what the module subscribed to, and let the connection be."""
        if self._session is not None:
            self._session.filters.clear()

    async def _serve_web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of HTTPS: requests, until one of them begins a WebSocket."""
        try:
            while True:
                request = web.Request(await reader.readuntil(b"\r\n\r\n"))
                self.web_requests.append(request)
                switching = web.switches(request)
                if switching is not None:
                    writer.write(switching)
                    await self._serve_packets(reader, writer)
                    return
                writer.write(web.twin_answer(request, self.identity, self.whole_twin()))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def _serve_packets(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packets = asyncio.StreamReader()
        frames = asyncio.ensure_future(web.unframe(reader, packets))
        try:
            await self._serve(packets, web.Framed(writer).as_writer)
        finally:
            frames.cancel()

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
        self._hear(packet.topic, packet.payload)
        self._changed()
        return True

    def _send(self, topic: str, payload: bytes) -> bool:
        """Send what the module subscribed to; tells whether it was there to hear it."""
        if self._member is None or self._session is None or not self._session.takes(topic):
            return False
        self._member.publish(topic, payload)
        return True
