"""The rehearsal: what a server says to the requests of a config, before a device has made them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nestor.access.users import User, add_user
from nestor.app.authority import Source, make_ca
from nestor.app.clock import SystemClock
from nestor.app.rehearsal import rehearse
from nestor.device.config import DeviceConfig
from nestor.device.files import Disk, look
from nestor.device.places import places_of
from nestor.finding import Finding, Gravity
from nestor.settings import judge
from support.asking import cheap_hash
from support.configs import AUTH, BY_BOOTSTRAP, BY_PASSWORD, IDENTITY, URL, config, only, problems, warnings
from support.pki import CA, authority
from support.trees import tree

NOW = datetime.now(UTC)  # noqa: TID251 -- the rehearsal is held now
FACTORY = authority("Factory")
GATEWAYS = {"gateways": "gw*", "bootstrap": {"maker": {"anchors": "file:factory.pem"}}}


@dataclass
class Plant:
    """A server that never ran: a CA, a factory that it knows, and the user gw3."""

    place: Path
    root: CA

    def source(self, **document: Any) -> Source:
        merged = {"access": GATEWAYS, **document}
        return Source(judge(merged), self.place / "data", SystemClock(), lambda _: None)

    def user(self, name: str = "gw3", **rules: Any) -> None:
        add_user(self.place / "data/users.json", replace(User(name, cheap_hash("0815")), **rules))

    def disk(self, read: DeviceConfig, name: str = "gw3", **wishes: Any) -> Disk:
        return look(places_of(read), tree(self.place / "device", self.root, FACTORY.issue(name, **wishes)))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/factory.pem").write_bytes(FACTORY.pem())
    plant = Plant(tmp_path, authority())
    make_ca(plant.source())
    plant.user()
    return plant


def _fine(found: list[Finding]) -> list[str]:
    return [finding.about for finding in found if finding.gravity is Gravity.FINE]


async def test_a_password_that_is_good_gets_everything_today_and_at_its_renewals(plant: Plant) -> None:
    found = await rehearse(config(), None, plant.source())
    assert _fine(found) == [IDENTITY, "edge_ca"]
    assert problems(found) == warnings(found) == []


async def test_a_bootstrap_certificate_gets_an_est_identity_and_everything_else(plant: Plant) -> None:
    read = config(BY_BOOTSTRAP)
    found = await rehearse(read, plant.disk(read), plant.source())
    assert _fine(found) == [AUTH, IDENTITY, "edge_ca"]
    assert len(found) == 3


async def test_a_device_that_is_no_gateway_is_refused_its_edge_ca(plant: Plant) -> None:
    found = await rehearse(config(), None, plant.source(access={}))
    assert problems(found) == ["edge_ca"]
    assert "access.gateways" in found[-1].remedy


async def test_a_name_that_the_user_may_not_have_is_refused(plant: Plant) -> None:
    other = config(provisioning__attestation__registration_id="gw4")
    found = await rehearse(other, None, plant.source())
    assert problems(found) == [IDENTITY, "edge_ca"]
    assert "gw3 may not have a certificate for gw4" in found[0].sentence


async def test_a_bootstrap_certificate_of_another_device_is_refused_once(plant: Plant) -> None:
    read = config(BY_BOOTSTRAP)
    found = only(await rehearse(read, plant.disk(read, "gw4"), plant.source()))
    assert problems([found]) == [AUTH]
    assert "EST identity" in found.sentence


async def test_a_bootstrap_certificate_of_an_unknown_maker_is_refused(plant: Plant) -> None:
    read = config(BY_BOOTSTRAP)
    found = only(await rehearse(read, plant.disk(read), plant.source(access={"gateways": "gw*"})))
    assert "no CA that this server trusts" in found.sentence


async def test_a_bootstrap_certificate_that_is_not_here_is_told_so(plant: Plant) -> None:
    found = only(await rehearse(config(BY_BOOTSTRAP), None, plant.source()))
    assert warnings([found]) == [f"{AUTH}.bootstrap_identity_cert"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"cert_issuance__est__auth__username": "gw8"}, "no user gw8"),
        ({"cert_issuance__est__auth__password": "0816"}, "another one"),
    ],
)
async def test_the_operator_is_told_what_is_wrong_with_a_password(
    plant: Plant, changes: dict[str, Any], word: str
) -> None:
    found = await rehearse(config(**changes), None, plant.source())
    assert problems(found) == [IDENTITY, "edge_ca"]
    assert word in found[0].sentence
    assert "0816" not in str(found)


async def test_a_password_that_ends_before_the_renewal_is_found(plant: Plant) -> None:
    plant.user(expires=NOW + timedelta(days=3))
    found = await rehearse(config(), None, plant.source())
    assert _fine(found) == problems(found) == [IDENTITY, "edge_ca"]
    assert f"{NOW + timedelta(days=3):%Y-%m-%d}" in found[-1].sentence


async def test_a_one_time_password_renews_nothing(plant: Plant) -> None:
    plant.user(one_time=True)
    found = await rehearse(config(), None, plant.source())
    assert _fine(found) == problems(found) == [IDENTITY, "edge_ca"]
    assert "has been used" in found[-1].sentence


async def test_an_est_identity_that_may_not_renew_itself_is_found(plant: Plant) -> None:
    read = config(BY_BOOTSTRAP)
    settings = {"estIdentity": {"renewable": False}}
    found = await rehearse(read, plant.disk(read), plant.source(profiles=settings))
    assert problems(found) == [AUTH]
    assert "renew" in found[-1].sentence


async def test_a_key_that_is_kept_is_refused_where_keys_have_to_be_new(plant: Plant) -> None:
    policy = {"rotate_key": False, "threshold": "80%", "retry": "4%"}
    settings = {"edgeCa": {"keyReuse": False}}
    found = await rehearse(config(edge_ca__auto_renew=policy), None, plant.source(profiles=settings))
    assert problems(found) == ["edge_ca"]
    assert problems(await rehearse(config(), None, plant.source(profiles=settings))) == []


async def test_a_kind_of_key_that_no_device_of_iot_edge_has_is_found(plant: Plant) -> None:
    found = await rehearse(config(), None, plant.source(profiles={"deviceIdentity": {"keys": "ec-p256"}}))
    assert problems(found) == [IDENTITY]


async def test_a_label_that_pins_another_profile_is_found(plant: Plant) -> None:
    labels = {"ca": {"profile": "edgeCa"}, "both": {"authentication": "certificateAndPassword"}}
    asked = {"provisioning__attestation__identity_cert__url": f"{URL}/ca", "edge_ca__url": f"{URL}/both"}
    found = await rehearse(config(**asked), None, plant.source(labels=labels))
    assert problems(found) == [IDENTITY, "edge_ca"]
    assert "wants a client certificate" in found[-1].sentence


async def test_the_first_certificate_of_a_bootstrap_is_asked_where_the_wanted_one_is(plant: Plant) -> None:
    only_ca = config(replace(BY_BOOTSTRAP, device_key="a2V5"), edge_ca__url=f"{URL}/ca")
    found = await rehearse(only_ca, plant.disk(only_ca), plant.source(labels={"ca": {"profile": "edgeCa"}}))
    assert problems(found) == [AUTH]


async def test_a_threshold_is_held_against_the_lifetime_of_the_server(plant: Plant) -> None:
    policy = {"rotate_key": True, "threshold": "40day", "retry": "1day"}
    read = config(provisioning__attestation__identity_cert__auto_renew=policy)
    assert problems(await rehearse(read, None, plant.source())) == [f"{IDENTITY}.auto_renew"]
    short = plant.source(profiles={"edgeCa": {"lifetime": "1d"}})
    assert warnings(await rehearse(config(), None, short)) == ["edge_ca.auto_renew"]


@pytest.mark.parametrize("subject", [{"CN": "gw3", "XX": "1"}, {"CN": "gw3", "C": "Germany"}])
async def test_a_subject_that_no_certificate_can_have_is_found(plant: Plant, subject: dict[str, str]) -> None:
    found = await rehearse(config(edge_ca__subject=subject), None, plant.source())
    assert problems(found) == ["edge_ca"]


async def test_other_attributes_of_a_subject_reach_the_rules(plant: Plant) -> None:
    identity = {"method": "est", "subject": {"CN": "gw3", "O": "Contoso"}}
    read = config(provisioning__attestation__identity_cert=identity)
    assert _fine(await rehearse(read, None, plant.source())) == [IDENTITY, "edge_ca"]
    refused = await rehearse(read, None, plant.source(profiles={"deviceIdentity": {"subject": {"take": "CN"}}}))
    assert problems(refused) == [IDENTITY]


async def test_a_placeholder_is_not_tried(plant: Plant) -> None:
    left = config(cert_issuance__est__auth__password="<PASSWORD>")
    assert await rehearse(left, None, plant.source()) == []
    assert BY_PASSWORD.login is not None
