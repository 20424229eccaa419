"""Certificates and trust change under load (R12): no handshake fails, and the distrusted is refused at once."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from support.device import PKCS10, ask, wrapped
from support.load import Load
from support.plants import Plant
from support.process import Mortal, wait_for
from support.shapes import est_identity

pytestmark = pytest.mark.xdist_group("swap")

RELOADS = 20
APPLIED = "settings applied"


def _change(server: Mortal, **access: Any) -> None:
    """Change a part of the document, have it read, and wait until it is in force."""
    document = json.loads(server.config.read_text("utf-8"))
    document["access"] |= access
    server.config.write_text(json.dumps(document), "utf-8")
    before = server.log().count(APPLIED)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.log().count(APPLIED) > before, 5, every=0.01)


def _makers(server: Mortal, *names: str) -> dict[str, Any]:
    """The factories of a document; every one of the same CA, under another name."""
    return {name: {"anchors": "file:factory.pem"} for name in names}


def test_the_process_reloads_under_load_and_no_handshake_fails(plant: Plant) -> None:
    server = plant.server
    with Load(plant.line, workers=3, requests_per_connection=1) as load:
        load.wait_for(5)
        for turn in range(RELOADS):
            _change(server, bootstrap=_makers(server, "factory", f"maker-{turn}"))
        load.wait_for(5)
    assert (load.broken, load.refused) == ([], [])
    assert len(load.received) > 5 * RELOADS
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
    _change(plant.server, bootstrap=_makers(plant.server, "factory"))
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
