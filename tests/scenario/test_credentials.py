"""Thirty days of a gateway whose certificates live a day, for every way to authenticate that a config.toml may name."""

from datetime import timedelta

import pytest

from support.history import check, rows
from support.plants import USER
from support.renewal import Policy
from support.runtime import DEVICE_IDENTITY, EDGE_CA, EST_IDENTITY, Auth, Runtime, live
from support.turned import Turned, TurnedPlant

pytestmark = pytest.mark.xdist_group("credentials")

DAY = timedelta(days=1)
MONTH = 30 * DAY
YEAR = 365
EVERYTHING = (DEVICE_IDENTITY, EDGE_CA)
KEPT = Policy(rotate_key=False)


def _live(plant: TurnedPlant, name: str, auth: Auth, policy: Policy, days: float = 30) -> Runtime:
    device = Runtime(name, plant.server, auth, policy, EVERYTHING)
    device.power_on()
    live(plant.server.clocks.now() + days * DAY, device)
    assert device.journal == []
    return device


def _methods(device: Runtime, profile: str) -> set[str]:
    return {row.method for row in rows(device.server.ledger, device.name, profile)}


def test_a_gateway_with_a_password_renews_by_it_every_time(daily: TurnedPlant) -> None:
    device = _live(daily, "gw-password", Auth(basic=USER), KEPT)
    for kind in EVERYTHING:
        assert len(check(device, kind, DAY)) == 38
    assert _methods(device, "deviceIdentity") == _methods(device, "edgeCa") == {"password"}


@pytest.mark.parametrize("basic", [None, USER], ids=["alone", "with-a-password"])
def test_a_gateway_with_an_est_identity_renews_by_it_and_uses_its_factory_certificate_once(
    daily: TurnedPlant, basic: tuple[str, str] | None
) -> None:
    name = "gw-both" if basic else "gw-identity"
    auth = Auth(basic, daily.factory_identity(name, YEAR))
    device = _live(daily, name, auth, KEPT if basic else Policy())
    for kind in (EST_IDENTITY, *EVERYTHING):
        assert len(check(device, kind, DAY)) == 38
    onboarded, *renewed = rows(daily.server.ledger, name, "estIdentity")
    assert (onboarded.method, {row.method for row in renewed}) == ("bootstrap", {"certificate"})
    assert _methods(device, "deviceIdentity") == _methods(device, "edgeCa") == {"certificate"}
    assert device.disk[EST_IDENTITY].identity.chain == (), "since its first renewal it is sent without its chain"


def test_a_gateway_whose_est_identity_ended_comes_back_by_its_factory_certificate(daily: TurnedPlant) -> None:
    device = _live(daily, "gw-late", Auth(bootstrap=daily.factory_identity("gw-late", YEAR)), Policy(), days=2)
    device.power_off()
    daily.server.live_until(device.now + 3 * DAY)
    before = len(device.history)
    device.power_on()
    back = device.history[before:]
    assert [one.kind for one in back] == [EST_IDENTITY, DEVICE_IDENTITY, EDGE_CA]
    assert back[0].by == device.auth.bootstrap.certificate if device.auth.bootstrap else None
    assert [one.by for one in back[1:]] == [back[0].new] * 2
    live(device.now + 5 * DAY, device)
    assert device.journal == []
    assert len(device.history) == before + 3 * 7


@pytest.mark.parametrize("way", ["password", "factory"])
def test_a_gateway_that_was_wiped_gets_its_names_again_while_the_old_certificates_live(
    tutorial: Turned, daily: TurnedPlant, way: str
) -> None:
    server = tutorial if way == "password" else daily.server
    name = f"gw-wiped-by-{way}"
    by_password = Auth(basic=("estuser", "estpwd"))
    auth = by_password if way == "password" else Auth(bootstrap=daily.factory_identity(name, YEAR))
    device = Runtime(name, server, auth, kinds=EVERYTHING)
    device.power_on()
    live(device.now + DAY / 4, device)
    old = dict(device.disk)
    device.power_off()
    device.wipe()
    device.power_on()
    assert device.journal == []
    for kind, kept in device.disk.items():
        assert kept.certificate.serial_number != old[kind].certificate.serial_number
        assert kept.certificate.public_key() != old[kind].certificate.public_key()
        assert kept.certificate.subject == old[kind].certificate.subject
        assert old[kind].certificate.not_valid_after_utc > device.now
    states = [row.state for row in rows(server.ledger, name, "deviceIdentity")]
    assert states == ["superseded", "active"]
    live(device.now + 3 * DAY, device)
    assert device.journal == []


def test_a_password_does_not_take_over_what_a_factory_certificate_got_and_the_sentence_says_what_to_do(
    daily: TurnedPlant,
) -> None:
    name = "gw-taken"
    device = _live(daily, name, Auth(bootstrap=daily.factory_identity(name, YEAR)), Policy(), days=1)
    thief = Runtime(name, daily.server, Auth(basic=USER))
    thief.power_on()
    assert thief.history == []
    assert "Use the first kind of credential, or have the operator revoke" in thief.journal[0].sentence
    live(device.now + DAY, device)
    assert device.journal == []
