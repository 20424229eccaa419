"""Devices that were off for ninety days: how each comes back, or which sentence tells what to do."""

from datetime import timedelta

import pytest

from support.device import Identity
from support.history import check, check_one
from support.plants import NOW, USER
from support.runtime import DEVICE_IDENTITY, EDGE_CA, EST_IDENTITY, Auth, Runtime, live
from support.turned import TurnedPlant

pytestmark = pytest.mark.xdist_group("absence")

DAY = timedelta(days=1)
MONTH = 30 * DAY
ABSENCE = 90 * DAY
TRIES = timedelta(seconds=20)


def _absent(plant: TurnedPlant, name: str, auth: Auth, kinds: tuple[str, ...] = (DEVICE_IDENTITY, EDGE_CA)) -> Runtime:
    """A device that got its certificates, and was off for ninety days."""
    device = Runtime(name, plant.server, auth, kinds=kinds)
    device.power_on()
    assert device.journal == []
    device.power_off()
    plant.server.live_until(device.now + ABSENCE)
    assert all(kept.certificate.not_valid_after_utc < device.now for kept in device.disk.values())
    device.history.clear()
    return device


def _from_factory(plant: TurnedPlant, name: str, life: timedelta = ABSENCE) -> Identity:
    """What the factory put into a device, good for some time from the plant's present on."""
    return plant.factory_identity(name, int((plant.server.clocks.now() + life - NOW) / DAY))


def _renews_from_now_on(device: Runtime) -> None:
    live(device.now + MONTH, device)
    assert device.journal == []
    assert len(device.obtained(DEVICE_IDENTITY)) == 2


def test_a_device_that_was_off_when_it_was_due_renews_at_once_by_what_it_holds(plant: TurnedPlant) -> None:
    device = Runtime("off-0", plant.server, Auth(bootstrap=_from_factory(plant, "off-0")))
    device.power_on()
    device.power_off()
    plant.server.live_until(device.now + 26 * DAY)
    device.power_on()
    check(device, DEVICE_IDENTITY, MONTH, 0.05)
    (_, renewed) = check(device, EST_IDENTITY, MONTH, 0.05)
    assert renewed.by == renewed.old


def test_a_device_with_a_password_comes_back_by_it(plant: TurnedPlant) -> None:
    device = _absent(plant, "gw-off-1", Auth(basic=USER))
    device.power_on()
    assert [one.kind for one in device.history] == [DEVICE_IDENTITY, EDGE_CA]
    _renews_from_now_on(device)


def test_a_device_with_a_factory_certificate_comes_back_by_it(plant: TurnedPlant) -> None:
    device = _absent(plant, "gw-off-2", Auth(bootstrap=_from_factory(plant, "gw-off-2", 2 * ABSENCE)))
    device.power_on()
    assert [one.kind for one in device.history] == [EST_IDENTITY, DEVICE_IDENTITY, EDGE_CA]
    _renews_from_now_on(device)


def test_a_device_that_has_nothing_but_an_expired_est_identity_is_told_what_to_do(plant: TurnedPlant) -> None:
    identity = _only_an_identity(plant, "off-3")
    device = Runtime("off-3", plant.server, Auth(identity=identity))
    device.power_on()
    live(device.now + TRIES, device)
    assert device.history == []
    assert len(device.journal) >= 3
    for failed in device.journal:
        assert "The certificate presented expired at" in failed.sentence
        assert "Enroll with a password or a bootstrap certificate." in failed.sentence
    device.auth = Auth(basic=USER)
    live(device.now + TRIES, device)
    (back,) = device.history
    check_one(back, MONTH, 0.05)


def test_an_expired_est_identity_leaves_the_word_to_the_password_beside_it(plant: TurnedPlant) -> None:
    identity = _only_an_identity(plant, "off-4")
    device = Runtime("off-4", plant.server, Auth(basic=USER, identity=identity))
    device.power_on()
    assert device.journal == []
    _renews_from_now_on(device)


def test_a_device_whose_factory_certificate_ended_too_is_told_what_to_do(plant: TurnedPlant) -> None:
    device = _absent(plant, "off-5", Auth(bootstrap=_from_factory(plant, "off-5", ABSENCE / 2)), (DEVICE_IDENTITY,))
    device.power_on()
    live(device.now + TRIES, device)
    assert device.history == []
    for failed in device.journal:
        assert "The certificate presented expired at" in failed.sentence
        assert "Enroll with a password" in failed.sentence


def _only_an_identity(plant: TurnedPlant, name: str) -> Identity:
    """An EST identity that somebody put into a file, ninety days ago."""
    device = Runtime(name, plant.server, Auth(basic=USER), kinds=(EST_IDENTITY,))
    device.power_on()
    identity = device.disk[EST_IDENTITY].identity
    plant.server.live_until(device.now + ABSENCE)
    return identity
