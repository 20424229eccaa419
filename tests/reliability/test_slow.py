"""A thousand clients that do nothing, or half of something (R10): others are served, and the thousand are sent away."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support.device import Device
from support.plants import Plant
from support.plants import plant as make_plant
from support.process import wait_for
from support.shapes import est_identity, p256
from support.slow import HALF_BODY, Crowd
from support.wire import GET

pytestmark = pytest.mark.xdist_group("slow-clients")

CROWD = 1000
TRIES = 20
QUICK = 0.250
DEADLINE = 17.0
MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _enough_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * CROWD)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _time_of_one(device: Device, number: int) -> float:
    request = est_identity(f"good-{number}", _KEY)
    start = time.monotonic()
    assert device.enroll(request).status == 200
    return time.monotonic() - start


_KEY = p256()


def _times(device: Device) -> list[float]:
    return [_time_of_one(device, number) for number in range(TRIES)]


def _is_served_meanwhile(plant: Plant, addresses: int, *kinds: Callable[[Crowd], None]) -> int:
    """Whether a good client is served beside a crowd, which goes; the server's memory while the crowd is there."""
    with Crowd(plant.line, addresses) as crowd:
        for turn in range(CROWD):
            kinds[turn * len(kinds) // CROWD](crowd)
        times = _times(plant.line)
        assert statistics.median(times) < QUICK
        # Somebody else's work on this machine may delay one of twenty; it may not delay two.
        assert sorted(times)[-2] < QUICK
        memory = plant.server.memory()
        wait_for(lambda: crowd.remaining() == 0, DEADLINE, every=0.2)
    return memory


def test_a_good_client_is_served_while_a_thousand_slow_ones_hold_on(plant: Plant) -> None:
    _times(plant.line)
    descriptors = plant.server.descriptors()
    # Those who need an answer to be slow come first: their places are free then.
    kinds = (Crowd.say_half_a_request, Crowd.say_half_a_hello, Crowd.say_nothing)
    first, second = (_is_served_meanwhile(plant, 20, *kinds) for _ in range(2))
    assert first < 250 * MEGABYTE
    assert second < first * 1.1
    wait_for(lambda: plant.server.descriptors() <= descriptors, 3)
    assert "Traceback" not in plant.server.log()


def test_a_good_client_is_served_while_a_thousand_come_from_one_address(plant: Plant) -> None:
    _times(plant.line)
    memory = _is_served_meanwhile(plant, 1, Crowd.say_half_a_hello, Crowd.say_nothing)
    assert memory < 250 * MEGABYTE


_LIMITS = {"handshake": "1s", "head": "2s", "body": "3s", "idle": "4s"}
_KINDS: dict[Callable[[Crowd], None], float] = {
    Crowd.say_nothing: 1,
    Crowd.say_half_a_hello: 1,
    Crowd.say_half_a_request: 2,
    lambda crowd: crowd.say_half_a_request(HALF_BODY): 3,
    lambda crowd: crowd.say_half_a_request(GET): 4,
}


def test_each_kind_of_slow_client_is_sent_away_when_the_time_of_its_kind_has_passed(tmp_path: Path) -> None:
    made = make_plant(tmp_path, {"limits": _LIMITS})
    with made.server, Crowd(made.line, 1) as crowd:
        begun = time.monotonic()
        for kind in _KINDS:
            kind(crowd)
        for left, limit in zip(reversed(range(len(_KINDS))), _KINDS.values(), strict=True):
            wait_for(partial(_at_most, crowd, left), limit + 2)
            assert time.monotonic() - begun > limit - 0.1


def _at_most(crowd: Crowd, left: int) -> bool:
    return crowd.remaining() <= left
