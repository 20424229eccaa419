"""Months of a device that renews by its password, at the thresholds that people write into its config.toml."""

from datetime import timedelta
from itertools import pairwise

import pytest

from support.history import check, rows
from support.plants import USER
from support.renewal import Policy
from support.runtime import DEVICE_IDENTITY, Auth, Runtime, live
from support.turned import Turned, TurnedPlant

pytestmark = pytest.mark.xdist_group("thresholds")

DAY = timedelta(days=1)
MONTH = 30 * DAY
BY_PASSWORD = Auth(basic=("estuser", "estpwd"))


def _live(server: Turned, name: str, auth: Auth, policy: Policy, time: timedelta) -> Runtime:
    device = Runtime(name, server, auth, policy)
    device.power_on()
    live(server.clocks.now() + time, device)
    assert device.journal == []
    return device


@pytest.mark.parametrize(
    ("policy", "number"),
    [(Policy("80%"), 38), (Policy("60min"), 32), (Policy("10%", rotate_key=False), 311)],
    ids=["80%-new-keys", "60min-new-keys", "10%-same-key"],
)
def test_one_day_certificates_are_renewed_in_time_for_thirty_days(
    tutorial: Turned, policy: Policy, number: int, request: pytest.FixtureRequest
) -> None:
    device = _live(tutorial, f"day-{request.node.callspec.id[:2]}", BY_PASSWORD, policy, MONTH)
    assert len(check(device, DEVICE_IDENTITY, DAY)) == number


@pytest.mark.parametrize(
    ("policy", "number"),
    [(Policy("80%"), 4), (Policy("60min"), 4), (Policy("10%", rotate_key=False), 31)],
    ids=["80%-new-keys", "60min-new-keys", "10%-same-key"],
)
def test_thirty_day_certificates_are_renewed_in_time_for_ninety_days(
    plant: TurnedPlant, policy: Policy, number: int, request: pytest.FixtureRequest
) -> None:
    device = _live(plant.server, f"month-{request.node.callspec.id[:2]}", Auth(basic=USER), policy, 3 * MONTH)
    got = check(device, DEVICE_IDENTITY, MONTH, jitter=0.05)
    assert number <= len(got) <= number * 1.06


def test_a_key_that_stays_makes_every_request_the_same_and_every_renewal_another_certificate(tutorial: Turned) -> None:
    device = _live(tutorial, "same-key", BY_PASSWORD, Policy("80%", rotate_key=False), 5 * DAY)
    got = check(device, DEVICE_IDENTITY, DAY)
    recorded = rows(tutorial.ledger, "same-key", "deviceIdentity")
    assert len({row.csr_sha256 for row in recorded}) == 1
    assert len({row.serial for row in recorded}) == len(got) == 7


@pytest.mark.parametrize("rotate", [True, False], ids=["new-keys", "same-key"])
def test_an_answer_that_gets_lost_costs_no_second_certificate(tutorial: Turned, *, rotate: bool) -> None:
    device = Runtime(f"lossy-{rotate}".lower(), tutorial, BY_PASSWORD, Policy(rotate_key=rotate), loses_answers=True)
    device.power_on()
    live(tutorial.clocks.now() + 5 * DAY, device)
    got = check(device, DEVICE_IDENTITY, DAY)
    assert len(got) == 7
    assert all(later.at - earlier.at > DAY / 2 for earlier, later in pairwise(got))
