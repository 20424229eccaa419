"""What happens to the server itself while its devices renew: restarts, its own certificate, the end of its CA."""

from datetime import timedelta
from pathlib import Path

import pytest

from support.history import check, rows
from support.plants import USER
from support.renewal import lifetime_of
from support.runtime import DEVICE_IDENTITY, EST_IDENTITY, Auth, Runtime, live
from support.then import shown
from support.turned import TurnedPlant, turned_plant

pytestmark = pytest.mark.xdist_group("server-life")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = 30 * DAY
DAILY = {"lifetime": "1d", "jitter": "0%"}


def _device(plant: TurnedPlant, name: str) -> Runtime:
    device = Runtime(name, plant.server, Auth(bootstrap=plant.factory_identity(name, 365)))
    device.power_on()
    assert device.journal == []
    return device


def test_devices_renew_across_restarts_and_a_kill(tmp_path: Path) -> None:
    plant = turned_plant(tmp_path, profiles={"deviceIdentity": DAILY, "estIdentity": DAILY})
    server = plant.server
    with server:
        device = _device(plant, "restart-1")
        for end in (server.stop, server.kill):
            assert device.turn
            live(device.turn - HOUR, device)
            end()
            live(device.now + 2 * HOUR, device)
            assert device.journal
            server.start()
            device.journal.clear()
            live(device.now + DAY, device)
            assert device.journal == []
        for kind in (EST_IDENTITY, DEVICE_IDENTITY):
            check(device, kind, DAY)


def test_the_servers_own_certificate_is_renewed_while_devices_renew(tmp_path: Path) -> None:
    plant = turned_plant(tmp_path, listener={"serverCertificate": {"lifetime": "9d"}})
    server = plant.server
    with server:
        device = _device(plant, "own-1")
        live(device.now + 60 * DAY, device)
        assert device.journal == []
        check(device, DEVICE_IDENTITY, MONTH, 0.05)
        *before, last = rows(server.ledger, "", "ownServer")
        assert last.serial == shown(server.here).serial_number
    assert len(before) in {8, 9}, "due after six days, and seen to within the next"
    assert {row.state for row in before} == {"superseded"}


def test_a_ca_that_ends_shortens_what_it_issues_and_then_says_why_not(tmp_path: Path) -> None:
    plant = turned_plant(tmp_path, ca={"lifetime": "40d"}, profiles={"deviceIdentity": {"jitter": "0%"}})
    server = plant.server
    with server:
        device = Runtime("end-1", server, Auth(basic=USER))
        device.power_on()
        end = device.now + 40 * DAY
        live(end - 3.5 * DAY, device)
        assert server.ready() == {}
        live(end - DAY, device)
        lives = [lifetime_of(one.new) / DAY for one in device.obtained(DEVICE_IDENTITY)]
        assert lives == pytest.approx([30, 16, 3.2], abs=0.1)
        assert device.journal == []
        live(end - DAY / 2, device)
        assert device.journal
        for failed in device.journal:
            assert "The CA ends at" in failed.sentence
            assert "too soon for a certificate of deviceIdentity" in failed.sentence
            assert "Renew the CA" in failed.sentence
        assert "too soon for a certificate of any profile" in server.ready()["ca"]
        before = shown(server.here)
        server.stop()
        server.start()
        assert "NOT ISSUING (ca)   The CA ends at" in server.log()
        assert shown(server.here) == before
        assert len(rows(server.ledger, "", "ownServer")) == 1
