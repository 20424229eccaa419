"""The packets of MQTT 3.1.1 that a broker and its clients exchange, as values; QoS 0 and 1. Pure.

Sections are those of the OASIS standard.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP = 0x20, 0x32, 0x40, 0x90, 0xB0, 0xD0
_CLEAN, _WILL, _PASSWORD, _USER_NAME = 0x02, 0x04, 0x40, 0x80


class Malformed(Exception):
    """Bytes that are no packet which a client may send."""


@dataclass(frozen=True, slots=True)
class Connect:
    """3.1: who comes, and whether an earlier session is to be forgotten."""

    client: str
    user_name: str
    password: str
    clean: bool
    keep_alive: int


@dataclass(frozen=True, slots=True)
class Publish:
    """3.3: a message; `packet` is None at QoS 0."""

    topic: str
    payload: bytes
    packet: int | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """3.8: filters, each with the QoS asked for."""

    packet: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """3.10: filters."""

    packet: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """3.4: a message of ours arrived."""


@dataclass(frozen=True, slots=True)
class Ping:
    """3.12: still there."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """3.14: goes in peace."""


Packet = Connect | Publish | Subscribe | Unsubscribe | Acknowledgment | Ping | Disconnect

_QUALITY = 0x06
_BARE: Mapping[int, Packet] = {4: Acknowledgment(), 12: Ping(), 14: Disconnect()}


class _Fields:
    """What is left of a packet, taken from its front."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __bool__(self) -> bool:
        return bool(self._body)

    def take(self, count: int) -> bytes:
        if count > len(self._body):
            raise Malformed
        taken, self._body = self._body[:count], self._body[count:]
        return taken

    def number(self, size: int = 2) -> int:
        return int.from_bytes(self.take(size), "big")

    def data(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            return self.data().decode()
        except UnicodeDecodeError as reason:
            raise Malformed from reason

    def rest(self) -> bytes:
        return self.take(len(self._body))


def decode(header: int, body: bytes) -> Packet:
    """The packet of a fixed header's first byte and the bytes after its length. Raises Malformed."""
    fields = _Fields(body)
    match header >> 4:
        case 1:
            return _connect(fields)
        case 3:
            return Publish(fields.text(), packet=fields.number() if header & _QUALITY else None, payload=fields.rest())
        case 8:
            return Subscribe(fields.number(), tuple(_filters(fields)))
        case 10:
            return Unsubscribe(fields.number(), tuple(_names(fields)))
        case kind if kind in _BARE:
            return _BARE[kind]
        case _:
            raise Malformed


def _connect(fields: _Fields) -> Connect:
    if (fields.text(), fields.number(1)) != ("MQTT", 4):
        raise Malformed
    flags, keep_alive, client = fields.number(1), fields.number(), fields.text()
    if flags & _WILL:
        fields.text(), fields.data()
    user_name = fields.text() if flags & _USER_NAME else ""
    password = fields.text() if flags & _PASSWORD else ""
    return Connect(client, user_name, password, bool(flags & _CLEAN), keep_alive)


def _filters(fields: _Fields) -> list[tuple[str, int]]:
    filters = []
    while fields:
        filters.append((fields.text(), fields.number(1)))
    return filters


def _names(fields: _Fields) -> list[str]:
    names = []
    while fields:
        names.append(fields.text())
    return names


def connack(code: int, *, session_present: bool = False) -> bytes:
    """3.2: the answer to CONNECT; 0 is welcome."""
    return _packet(_CONNACK, bytes([session_present, code]))


def publish(topic: str, payload: bytes, packet: int) -> bytes:
    """3.3: a message at QoS 1."""
    name = topic.encode()
    return _packet(_PUBLISH, len(name).to_bytes(2, "big") + name + packet.to_bytes(2, "big") + payload)


def puback(packet: int) -> bytes:
    """3.4: the message arrived."""
    return _packet(_PUBACK, packet.to_bytes(2, "big"))


def suback(packet: int, granted: tuple[int, ...]) -> bytes:
    """3.9: the QoS granted to each filter."""
    return _packet(_SUBACK, packet.to_bytes(2, "big") + bytes(granted))


def unsuback(packet: int) -> bytes:
    """3.11: unsubscribed."""
    return _packet(_UNSUBACK, packet.to_bytes(2, "big"))


def pingresp() -> bytes:
    """3.13: here."""
    return _packet(_PINGRESP, b"")


def _packet(header: int, body: bytes) -> bytes:
    """2.2.3: the length goes before the body, seven bits a byte, the lowest first."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 0x80)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([header, *digits]) + body


def matches(pattern: str, topic: str) -> bool:
    """4.7: whether a filter with its wildcards takes a topic."""
    wanted, given = pattern.split("/"), topic.split("/")
    for place, part in enumerate(wanted):
        if part == "#":
            return True
        if place >= len(given) or part not in {"+", given[place]}:
            return False
    return len(wanted) == len(given)
