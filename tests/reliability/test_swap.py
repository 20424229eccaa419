"""Certificates and trust change under load (R12): no handshake fails, and the distrusted is refused at once."""

import asyncio
import json
import signal
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from OpenSSL import SSL

from nestor.web.listener import Listener
from nestor.web.settings import ListenerSettings
from nestor.web.tls import server_context
from support.device import PKCS10, Device, ask, wrapped
from support.load import Load
from support.pki import CA, authority, write
from support.plants import USER, Plant
from support.plants import plant as make_plant
from support.process import Mortal, wait_for
from support.shapes import est_identity

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("swap")]

SWAPS = 500
PROCESS_SWAPS = 100
APPLIED = "settings applied"


async def _serve_swapped(contexts: Callable[[], SSL.Context], work: Callable[[int], Awaitable[None]]) -> None:
    """Listen as the process does, with a context that is asked for at every handshake."""

    async def greet(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="here")

    settings = ListenerSettings.model_validate({"port": 0, "addresses": "127.0.0.1"})
    http = web.Server(greet, access_log=None)
    listener = Listener(settings, context=contexts, protocol=http, failed=lambda *told: reported.append(told))
    reported: list[tuple[str, ...]] = []
    await listener.start()
    try:
        await work(listener.addresses[0][1])
    finally:
        listener.stop_accepting()
        await listener.drain(1.0)
        await http.shutdown(0.1)
    assert reported == []


def _greet_until(stop: threading.Event, device: Device) -> set[int]:
    """Connect again and again; the serial numbers that the server showed. Raises what a handshake raises."""
    shown = set()
    while not stop.is_set():
        connection = device.connect()
        assert ask(connection, "GET", "/", None, {}).status == 200
        assert isinstance(connection.sock, ssl.SSLSocket)
        der = connection.sock.getpeercert(binary_form=True)
        assert der
        shown.add(x509.load_der_x509_certificate(der).serial_number)
        connection.close()
    return shown


async def test_five_hundred_swaps_of_certificate_and_trust_fail_no_handshake(tmp_path: Path) -> None:
    ca, maker = authority(), authority("Maker")
    servers = [ca.issue("localhost", alternative_names=["localhost"], client=False, server=True) for _ in range(10)]
    others = [authority(f"Maker {number}").certificate for number in range(10)]

    def context(turn: int) -> SSL.Context:
        shown, anchors = servers[turn % 10], (ca.certificate, maker.certificate, others[turn % 10])
        return server_context(chain=(shown.certificate,), key=shown.key, client_anchors=anchors)

    current = [context(0)]

    async def swap(port: int) -> None:
        stop = threading.Event()
        device = Device(port, ca.write(tmp_path), identity=maker.issue("dev-1"))
        callers = [asyncio.ensure_future(asyncio.to_thread(_greet_until, stop, device)) for _ in range(2)]
        for turn in range(SWAPS):
            current[0] = context(turn)
            await asyncio.sleep(0.01)
        stop.set()
        shown = set().union(*await asyncio.gather(*callers))
        assert shown == {server.certificate.serial_number for server in servers}

    await _serve_swapped(lambda: current[0], swap)


def _change(server: Mortal, **access: Any) -> None:
    """Change a part of the document, have it read, and wait until it is in force."""
    document = json.loads(server.config.read_text("utf-8"))
    document["access"] |= access
    server.config.write_text(json.dumps(document), "utf-8")
    _have_read(server)


def _have_read(server: Mortal) -> None:
    """Have everything that the settings name read again, and wait until it is in force."""
    before = server.log().count(APPLIED)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.log().count(APPLIED) > before, 5, every=0.01)


def _makers(*names: str) -> dict[str, Any]:
    """The makers of devices in a document, each with its anchors in a file of its name."""
    return {name: {"anchors": f"file:{name}.pem"} for name in names}


class _Swapped:
    """A plant whose server certificate comes from a file; with each turn it and the anchors of a maker are others."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._above = authority("Elsewhere")
        self._anchor = self._above.write(place)
        shown = {"source": "file", "certificate": "file:server.pem", "key": "file:server-key.pem"}
        self.plant = make_plant(place, {"serverCertificate": shown})
        self._turned = 0
        self._put_in_place()
        document = json.loads(self.plant.server.config.read_text("utf-8"))
        document["access"]["bootstrap"] |= _makers("maker")
        self.plant.server.config.write_text(json.dumps(document), "utf-8")

    def device(self, **known: Any) -> Device:
        """A device that trusts whoever issues the certificates that are shown."""
        return Device(self.plant.server.port, self._anchor, **known)

    def turn(self) -> None:
        """Swap both, and wait until they are in force."""
        former = self._maker
        self._put_in_place()
        _have_read(self.plant.server)
        assert self._shown() == self._server.certificate.serial_number
        assert self._is_let_in(self._maker)
        assert not self._is_let_in(former)

    def _put_in_place(self) -> None:
        self._turned += 1
        self._maker = authority(f"Maker {self._turned}")
        self._server = self._above.issue("localhost", alternative_names=["localhost"], client=False, server=True)
        data = self.plant.server.data
        certificate, key = write(self._place, self._server)
        key.chmod(0o600)
        certificate.replace(data / "server.pem")
        key.replace(data / "server-key.pem")
        self._maker.write(self._place, "maker.pem").replace(data / "maker.pem")

    def _shown(self) -> int:
        connection = self.device().connect()
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        der = connection.sock.getpeercert(binary_form=True)
        connection.close()
        return x509.load_der_x509_certificate(der or b"").serial_number

    def _is_let_in(self, maker: CA) -> bool:
        try:
            return self.device(identity=maker.issue("dev-1")).get("cacerts").status == 200
        except ssl.SSLError as refused:
            if refused.reason != "TLSV1_ALERT_UNKNOWN_CA":
                raise
            return False


def test_the_process_swaps_certificate_and_trust_under_load_and_no_handshake_fails(tmp_path: Path) -> None:
    swapped = _Swapped(tmp_path)
    with swapped.plant.server as server, Load(swapped.device(user=USER), 3, requests_per_connection=1) as load:
        load.wait_for(5)
        for _ in range(PROCESS_SWAPS):
            swapped.turn()
        load.wait_for(5)
    assert (load.broken, load.refused) == ([], [])
    assert len(load.received) > PROCESS_SWAPS, "connections were opened all the time"
    assert "settings refused" not in server.log()
    assert "Traceback" not in server.log()


def test_a_removed_ca_is_refused_on_the_next_request_of_an_open_connection(plant: Plant) -> None:
    device = plant.server.device(identity=plant.factory_identity("swap-1"))
    connection = device.connect()

    def enroll() -> int:
        body = wrapped(est_identity("swap-1").der)
        return ask(connection, "POST", device.path("simpleenroll"), body, {"Content-Type": PKCS10}).status

    assert enroll() == 200
    socket = connection.sock
    _change(plant.server, bootstrap={})
    assert enroll() in {401, 403}
    assert connection.sock is socket, "it was refused on the connection that was open"
    _change(plant.server, bootstrap=_makers("factory"))
    assert enroll() == 200
    connection.close()


def test_settings_that_do_not_hold_change_nothing(plant: Plant) -> None:
    server = plant.server
    good = server.config.read_text("utf-8")
    server.config.write_text(good.replace("gw-*", 'gw-*", "unknownKey": "1'), "utf-8")
    server.signal(signal.SIGHUP)
    wait_for(lambda: "settings refused" in server.log(), 5)
    assert "unknownKey" in server.log()
    assert plant.line.enroll(est_identity("swap-2")).status == 200
    server.config.write_text(good, "utf-8")


def test_a_torn_settings_file_changes_nothing(plant: Plant, tmp_path: Path) -> None:
    server = plant.server
    good = server.config.read_text("utf-8")
    server.config.write_text(good[: len(good) // 2], "utf-8")
    server.signal(signal.SIGHUP)
    wait_for(lambda: "settings refused" in server.log(), 5)
    assert plant.line.enroll(est_identity("swap-3")).status == 200
