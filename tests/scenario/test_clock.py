"""A server whose clock is wrong for a while: who is refused hears why and what to do, and is served again after it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.certd import EstFailed
from support.history import check, check_one
from support.plants import USER
from support.process import wait_for
from support.renewal import Policy
from support.runtime import DEVICE_IDENTITY, EST_IDENTITY, Auth, Runtime, live
from support.then import shown
from support.turned import Turned, TurnedPlant, turned_plant

pytestmark = pytest.mark.xdist_group("clock")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEAR = 365 * DAY
LOOK = 2.0
DAILY = {"lifetime": "1d", "jitter": "0%"}
BOOT = datetime(1970, 1, 1, 0, 10, tzinfo=UTC)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[TurnedPlant]:
    made = turned_plant(tmp_path, whole=True, profiles={"deviceIdentity": DAILY, "estIdentity": DAILY})
    with made.server:
        yield made


def _device(plant: TurnedPlant, name: str, policy: Policy | None = None) -> Runtime:
    device = Runtime(name, plant.server, Auth(basic=USER), policy or Policy())
    device.power_on()
    return device


def _sentences(device: Runtime) -> list[str]:
    return [failed.sentence for failed in device.journal]


def _obtain(device: Runtime) -> None:
    """Renew now, whether it is due or not."""
    device._obtain(DEVICE_IDENTITY, device.disk[DEVICE_IDENTITY])


def _is_ready_soon(server: Turned) -> bool:
    wait_for(lambda: server.ready() == {}, LOOK)
    return True


def test_a_leap_of_a_year_that_is_taken_back_costs_a_few_tries(plant: TurnedPlant) -> None:
    server, device = plant.server, _device(plant, "leap-1")
    live(device.now + 18 * HOUR, device)
    server.set_clock_wrong(YEAR)
    assert "jumped" in server.ready()["ca"]
    live(device.now + 3 * HOUR, device)
    assert device.journal
    for sentence in _sentences(device):
        assert "503" in sentence
        assert "jumped" in sentence
        assert "ten minutes" in sentence
    server.set_clock_right()
    assert server.ready() == {}
    tries = len(device.journal)
    live(device.now + 3 * DAY, device)
    assert len(device.journal) == tries
    check(device, DEVICE_IDENTITY, DAY)


def test_a_clock_that_was_ahead_by_less_than_a_day_and_is_right_again_is_accepted_by_hand(plant: TurnedPlant) -> None:
    server = plant.server
    early, late = _device(plant, "ahead-1", Policy(rotate_key=False)), _device(plant, "ahead-2")
    live(early.now + 18 * HOUR, early, late)
    server.set_clock_wrong(23 * HOUR)
    assert server.ready() == {}
    _obtain(early)
    from_the_future = early.disk[DEVICE_IDENTITY].certificate
    assert from_the_future.not_valid_before_utc > early.now + 22 * HOUR

    server.set_clock_right()
    problem = server.ready()["ca"]
    live(late.now + 3 * HOUR, late)
    for sentence in (problem, *_sentences(late)):
        assert "certificates were issued at" in sentence
        assert "nestor ledger accept-clock" in sentence
    assert len(late.journal) == 2

    server.command("ledger", "accept-clock")
    assert _is_ready_soon(server)
    _obtain(early)
    (*_, anew) = early.obtained(DEVICE_IDENTITY)
    assert anew.new.public_key() == from_the_future.public_key()
    check_one(anew, DAY, 0)
    live(late.now + 3 * DAY, late)
    assert len(late.journal) == 2
    check(late, DEVICE_IDENTITY, DAY)


def test_a_clock_that_was_ahead_by_less_than_a_day_is_believed_again_when_its_time_has_come(
    plant: TurnedPlant,
) -> None:
    server, device = plant.server, _device(plant, "ahead-3")
    live(device.now + 18 * HOUR, device)
    server.set_clock_wrong(3 * HOUR)
    _device(plant, "ahead-4")
    server.set_clock_right()
    live(device.now + 3 * DAY, device)
    assert len(device.journal) in {2, 3}
    assert all("certificates were issued at" in sentence for sentence in _sentences(device))
    check(device, DEVICE_IDENTITY, DAY)


def test_an_identity_from_a_clock_that_was_ahead_is_refused_until_its_time_with_a_sentence(plant: TurnedPlant) -> None:
    server = plant.server
    waits, starts_over = (
        Runtime(name, server, Auth(bootstrap=plant.factory_identity(name))) for name in ("ahead-5", "ahead-6")
    )
    server.set_clock_wrong(2 * HOUR)
    waits.power_on()
    starts_over.power_on()
    server.set_clock_right()
    server.command("ledger", "accept-clock")
    assert _is_ready_soon(server)
    for device in (waits, starts_over):
        with pytest.raises(EstFailed, match=r"is valid from .* only"):
            _obtain(device)
    starts_over.wipe()
    starts_over.power_on()
    check_one(starts_over.history[-1], DAY, 0)
    server.live_until(waits.now + 2 * HOUR)
    _obtain(waits)
    check_one(waits.history[-1], DAY, 0)


def test_a_clock_that_was_set_back_is_put_right_and_renewals_go_on(plant: TurnedPlant) -> None:
    server = plant.server
    by_password = _device(plant, "back-1")
    by_identity = Runtime("back-2", server, Auth(bootstrap=plant.factory_identity("back-2")))
    by_identity.power_on()
    both = by_password, by_identity
    live(by_password.now + 18 * HOUR, *both)
    server.set_clock_wrong(-3 * DAY)
    problem = server.ready()["ca"]
    live(by_password.now + 3 * HOUR, *both)
    assert by_password.journal
    assert by_identity.journal
    for sentence in (problem, *_sentences(by_password), *_sentences(by_identity)):
        assert "The clock of this server shows" in sentence
        assert "Set the clock" in sentence
    server.set_clock_right()
    assert server.ready() == {}
    tries = len(by_password.journal), len(by_identity.journal)
    live(by_password.now + 3 * DAY, *both)
    assert tries == (len(by_password.journal), len(by_identity.journal))
    check(by_password, DEVICE_IDENTITY, DAY)
    for kind in (EST_IDENTITY, DEVICE_IDENTITY):
        check(by_identity, kind, DAY)


def test_a_clock_that_is_set_back_by_some_minutes_stops_nothing(plant: TurnedPlant) -> None:
    server, device = plant.server, _device(plant, "slew-1")
    live(device.now + 18 * HOUR, device)
    server.set_clock_wrong(timedelta(minutes=-3))
    live(device.now + 2 * DAY, device)
    assert device.journal == []


def test_a_host_that_boots_in_1970_waits_for_the_time_and_says_so(plant: TurnedPlant) -> None:
    server = plant.server
    by_identity = Runtime("boot-2", server, Auth(bootstrap=plant.factory_identity("boot-2")))
    by_identity.power_on()
    by_password = _device(plant, "boot-1")
    both = by_password, by_identity
    live(by_password.now + 18 * HOUR, *both)
    server.stop()
    server.set_clock_wrong(BOOT - server.clocks.now())
    server.start()
    assert "NOT ISSUING (ca)" in server.log()
    problem = server.ready()["ca"]
    live(by_password.now + 3 * HOUR, *both)
    for sentence in (problem, *_sentences(by_password), *_sentences(by_identity)):
        assert "1970-01-01" in sentence
        assert "Set the clock" in sentence
    server.set_clock_right()
    assert server.ready() == {}
    live(by_password.now + 3 * DAY, *both)
    check(by_password, DEVICE_IDENTITY, DAY)
    check(by_identity, DEVICE_IDENTITY, DAY)


def test_a_first_start_in_1970_makes_no_ca_until_the_time_is_right(tmp_path: Path) -> None:
    made = turned_plant(tmp_path, whole=True, profiles={"deviceIdentity": DAILY})
    server = made.server
    server.set_clock_wrong(BOOT - server.clocks.now())
    with server:
        assert "NOT ISSUING (ca)" in server.log()
        assert "1970-01-01" in server.log()
        assert not (server.data / "ca").exists()
        server.set_clock_right()
        wait_for((server.data / "ca").exists, LOOK)
        wait_for(lambda: "settings applied" in server.log(), LOOK)
        assert server.ready() == {}
        device = _device(made, "first-1")
        check(device, DEVICE_IDENTITY, DAY)


def test_a_server_that_starts_a_year_ahead_is_put_right_by_hand(plant: TurnedPlant) -> None:
    server, device = plant.server, _device(plant, "future-1", Policy(rotate_key=False))
    live(device.now + 18 * HOUR, device)
    server.stop()
    server.set_clock_wrong(YEAR)
    server.start()
    wait_for(lambda: shown(server.here).not_valid_before_utc > device.now + 300 * DAY, LOOK)
    live(device.now + 3 * HOUR, device)
    assert device.journal
    server.set_clock_right()
    live(device.now + HOUR, device)
    server.command("ledger", "accept-clock")
    wait_for(lambda: shown(server.here).not_valid_before_utc < device.now, LOOK)
    assert server.ready() == {}
    tries = len(device.journal)
    live(device.now + 3 * DAY, device)
    assert len(device.journal) == tries
    check(device, DEVICE_IDENTITY, DAY)
