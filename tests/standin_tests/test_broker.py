"""The broker, spoken to in bytes: what no polite client does."""

import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from standin.broker import LARGEST_MESSAGE, PORT
from standin.edge import Edge
from standin.faults import Delivery

Dial = Callable[[], ssl.SSLSocket]
_WELCOME, _WELCOME_BACK, _NOT_AUTHORIZED = b"\x20\x02\x00\x00", b"\x20\x02\x01\x00", b"\x20\x02\x00\x05"
_PERSISTENT, _CLEAN = 0xC0, 0xC2


@pytest.fixture
def dial(edge: Edge) -> Iterator[Dial]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=edge.trust_bundle)
    dialed: list[ssl.SSLSocket] = []

    def dial() -> ssl.SSLSocket:
        plain = socket.create_connection((edge.address, PORT), timeout=5)
        dialed.append(context.wrap_socket(plain, server_hostname=edge.address))
        return dialed[-1]

    yield dial
    for one in dialed:
        one.close()


def connect(
    edge: Edge, *, seconds: float = 60, flags: int = _PERSISTENT, keep_alive: int = 0, client: str = ""
) -> bytes:
    """A CONNECT with a token that is good for so long."""
    identity = edge.identity
    resource = quote(f"{identity.hub}/devices/{identity.device}/modules/{identity.module}", safe="")
    expiry = int(time.time() + seconds)
    signature = quote(b64encode(identity.sign(f"{resource}\n{expiry}".encode())).decode(), safe="")
    token = f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}"
    user = f"{identity.hub}/{identity.client}/?api-version=2019-10-01"
    body = text("MQTT") + bytes([4, flags]) + keep_alive.to_bytes(2, "big")
    return packet(0x10, body + text(client or identity.client) + text(user) + text(token))


def text(value: str) -> bytes:
    return len(value).to_bytes(2, "big") + value.encode()


def packet(header: int, body: bytes) -> bytes:
    length, digits = len(body), b""
    while True:
        length, digit = length >> 7, length & 0x7F
        digits += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([header]) + digits + body


def ends(connection: ssl.SSLSocket) -> bool:
    """Whether the other side hangs up."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def test_who_is_dropped_is_not_connected_from_then_on(edge: Edge, dial: Dial) -> None:
    for _ in range(20):
        connection = dial()
        connection.sendall(connect(edge))
        assert connection.recv(4)
        edge.drop()
        assert not edge.connected


def test_a_session_is_remembered_until_a_client_wants_a_clean_one(edge: Edge, dial: Dial) -> None:
    answers = []
    for flags in (_PERSISTENT, _PERSISTENT, _CLEAN, _PERSISTENT):
        connection = dial()
        connection.sendall(connect(edge, flags=flags))
        answers.append(connection.recv(4))
        connection.sendall(packet(0xE0, b""))
        assert ends(connection)
    assert answers == [_WELCOME, _WELCOME_BACK, _WELCOME, _WELCOME_BACK]


@pytest.mark.parametrize("wish", [{"seconds": -1}, {"client": "gateway-1/other"}])
def test_who_has_no_right_to_come_is_told_so_and_hung_up_on(edge: Edge, dial: Dial, wish: dict[str, object]) -> None:
    connection = dial()
    connection.sendall(connect(edge, **wish))  # type: ignore[arg-type]
    assert connection.recv(4) == _NOT_AUTHORIZED
    assert ends(connection)


def test_a_connection_ends_with_its_token(edge: Edge, dial: Dial) -> None:
    connection = dial()
    connection.sendall(connect(edge, seconds=1.9))
    assert connection.recv(4) == _WELCOME
    assert ends(connection)
    edge.wait_until(lambda: not edge.connected, 1)


def test_a_client_that_is_silent_too_long_is_gone(edge: Edge, dial: Dial) -> None:
    connection = dial()
    connection.sendall(connect(edge, keep_alive=1))
    assert connection.recv(4) == _WELCOME
    assert ends(connection)
    edge.wait_until(lambda: not edge.connected, 1)


@pytest.mark.parametrize("nonsense", [b"\xff" * 9, packet(0x10, text("MQIsdp")), packet(0xC0, b"")])
def test_who_does_not_begin_with_connect_is_hung_up_on(dial: Dial, nonsense: bytes) -> None:
    connection = dial()
    connection.sendall(nonsense)
    assert ends(connection)


def test_a_message_larger_than_iot_hub_takes_ends_the_connection(edge: Edge, dial: Dial) -> None:
    topic = text("devices/gateway-1/modules/nestor/messages/events/")
    connection = dial()
    connection.sendall(connect(edge))
    assert connection.recv(4) == _WELCOME
    connection.sendall(packet(0x32, topic + b"\x00\x01" + bytes(LARGEST_MESSAGE)))
    assert connection.recv(4) == b"\x40\x02\x00\x01"
    connection.sendall(packet(0x32, topic + b"\x00\x02" + bytes(LARGEST_MESSAGE + 1)))
    assert ends(connection)
    assert len(edge.messages) == 1
    assert "262145 bytes" in edge.broken_rules[0]


def test_a_topic_that_is_none_of_a_modules_is_told(edge: Edge, dial: Dial) -> None:
    connection = dial()
    connection.sendall(connect(edge) + packet(0x30, text("somewhere/else")))
    edge.wait_until(lambda: bool(edge.broken_rules), 5)
    assert edge.broken_rules == ("The topic somewhere/else is none of a module's.",)


@pytest.mark.parametrize(("reverse", "versions"), [(False, [2, 3]), (True, [3, 2])])
def test_changes_that_were_held_are_sent_in_the_order_asked_for(
    edge: Edge, dial: Dial, reverse: bool, versions: list[int]
) -> None:
    connection = dial()
    connection.sendall(connect(edge))
    assert connection.recv(4) == _WELCOME
    connection.sendall(packet(0x82, b"\x00\x01" + text("$iothub/twin/PATCH/properties/desired/#") + b"\x01"))
    assert connection.recv(5) == b"\x90\x03\x00\x01\x01"
    edge.faults.delivery = Delivery.HELD
    edge.patch_desired({"a": 1})
    edge.patch_desired({"a": 2})
    edge.release_patches(reverse=reverse)
    received = b""
    while received.count(b'"$version":') < 2:
        received += connection.recv(1000)
    assert [int(found) for found in re.findall(rb'"\$version":(\d)', received)] == versions
