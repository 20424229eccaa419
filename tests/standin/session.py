"""One client of the broker: its connection, and what outlives it, the session."""

import asyncio

from standin import mqtt

_GRACE = 1.5
"""3.1.2.10: a client that is silent for one and a half times its keep-alive is gone."""

_INTRODUCTION = 10.0
"""Seconds in which a newcomer has to say who it is."""

_DIGITS = 4


class Session:
    """What edgeHub remembers of a client between its connections: what it subscribed to."""

    def __init__(self) -> None:
        self.filters: set[str] = set()

    def takes(self, topic: str) -> bool:
        """Whether the client wants to hear of a topic."""
        return any(mqtt.matches(pattern, topic) for pattern in self.filters)


class Connection:
    """Packets in, bytes out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._patience: float | None = _INTRODUCTION
        self._sent = 0

    def keep_alive(self, seconds: int) -> None:
        """How long the client may be silent; 0 is for ever."""
        self._patience = seconds * _GRACE or None

    async def read(self) -> mqtt.Packet:
        """The next packet. Raises EOFError, OSError or Malformed when there is none."""
        async with asyncio.timeout(self._patience):
            header = await self._byte()
            return mqtt.decode(header, await self._reader.readexactly(await self._length()))

    async def _length(self) -> int:
        """2.2.3: seven bits a byte, the lowest first, four bytes at most."""
        length = 0
        for place in range(_DIGITS):
            digit = await self._byte()
            length |= (digit & 0x7F) << 7 * place
            if digit < 0x80:
                return length
        raise mqtt.Malformed

    async def _byte(self) -> int:
        return (await self._reader.readexactly(1))[0]

    def send(self, packet: bytes) -> None:
        """Send a packet."""
        self._writer.write(packet)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message at QoS 1."""
        self._sent = self._sent % 0xFFFF + 1
        self.send(mqtt.publish(topic, payload, self._sent))

    def close(self) -> None:
        """Say what is left to say, and hang up."""
        self._writer.close()

    def drop(self) -> None:
        """Break it off, as a network does."""
        self._writer.transport.abort()
