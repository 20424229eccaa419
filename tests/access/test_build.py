"""Gates built from documents: what was written is in force, and what cannot be used lets nobody in."""

from pathlib import Path
from typing import Any

import pytest

from nestor.access.build import build_gate
from nestor.access.gate import Gate
from nestor.access.memory import Memory
from nestor.access.settings import AccessSettings
from nestor.access.users import User, add_user
from nestor.errors import Forbidden, MaterialError, Unauthenticated
from nestor.events import Event, Trouble
from nestor.model import Credentials, Method, Operation, Requester
from support.asking import DEFAULT, FRESH, NOW, cheap_hash, csr, entry, ledger_of, traits, traits_or_none
from support.signing import CLIENT, root

CA, FACTORY = root("Nestor CA"), root("Factory Root")
OWN = CA.sign("gw1", extensions=[CLIENT])


class Stopped:
    """A clock that stands."""

    def now(self) -> Any:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def build(base: Path, document: dict[str, Any], told: list[Event] | None = None) -> Gate:
    return build_gate(
        AccessSettings.model_validate(document),
        base=base,
        ledger=ledger_of(entry(OWN.der, "gw1")),
        clock=Stopped(),
        sinks=[(told if told is not None else []).append],
        issuers=lambda: [CA.certificate],
        own=[CA.certificate],
        traits=traits_or_none,
        memory=Memory(),
        recognize=lambda _, wanted: traits(wanted or "estIdentity"),
        reserved_names=["nestor.plant.example"],
    )


def password(user: str, word: str) -> Credentials:
    return Credentials("192.0.2.1", user=user, password=word)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "line1.hash").write_text(cheap_hash("right") + "\n")
    (tmp_path / "factory.pem").write_bytes(FACTORY.pem)
    (tmp_path / "factory.crl").write_bytes(FACTORY.revoke())
    return tmp_path


LINE1 = {"passwordHash": "file:line1.hash", "names": "line1-*"}
FORWARDER = {"subject": "CN=gw1", "names": "*"}
MAKER = {"anchors": "file:factory.pem", "crls": "file:factory.crl", "requireCrl": True}


async def test_users_of_settings_and_file_may_come_in(base: Path) -> None:
    add_user(base / "users.json", User("dev1", cheap_hash("filed")))
    gate = build(base, {"users": {"line1": LINE1}})
    assert (await gate.identify(password("line1", "right"), DEFAULT)).grant.names == ("line1-*",)
    assert (await gate.identify(password("dev1", "filed"), DEFAULT)).identity == "dev1"
    add_user(base / "users.json", User("dev2", cheap_hash("later")))
    assert (await gate.identify(password("dev2", "later"), DEFAULT)).identity == "dev2"


async def test_a_users_file_that_breaks_later_is_told_and_changes_nothing(base: Path) -> None:
    add_user(base / "users.json", User("dev1", cheap_hash("filed")))
    told: list[Event] = []
    gate = build(base, {}, told)
    (base / "users.json").write_text("{")
    assert (await gate.identify(password("dev1", "filed"), DEFAULT)).identity == "dev1"
    assert [type(event) for event in told] == [Trouble]


async def test_factory_certificates_count_and_their_lists_are_read_again(base: Path) -> None:
    gate = build(base, {"bootstrap": {"factory": MAKER}})
    leaf = FACTORY.sign("dev1")
    shown = Credentials("192.0.2.1", certificate=leaf.certificate)
    assert gate.anchors == (FACTORY.certificate,)
    assert (await gate.identify(shown, DEFAULT)).method is Method.BOOTSTRAP
    (base / "factory.crl").write_bytes(FACTORY.revoke(leaf.certificate.serial_number))
    with pytest.raises(Forbidden, match="revoked"):
        await gate.identify(shown, DEFAULT)


def authorize(gate: Gate, requester: Requester, name: str, profile: str) -> str:
    order = gate.authorize(
        requester=requester,
        csr=csr(name),
        profile=traits(profile),
        operation=Operation.SIMPLE_ENROLL,
        label=DEFAULT,
        standing=FRESH,
        now=NOW,
    )
    return order.device


async def test_own_certificates_gateways_and_reserved_names_arrive_at_the_rules(base: Path) -> None:
    gate = build(base, {"gateways": "gw1", "users": {"line1": {**LINE1, "names": "*", "profiles": "*"}}})

    device = await gate.identify(Credentials("192.0.2.1", certificate=OWN.certificate), DEFAULT)
    assert authorize(gate, device, "aziot-edge CA gw1", "edgeCa") == "gw1"
    user = await gate.identify(password("line1", "right"), DEFAULT)
    with pytest.raises(Forbidden, match="not a gateway"):
        authorize(gate, user, "aziot-edge CA gw2", "edgeCa")
    with pytest.raises(Forbidden, match="belongs to this server"):
        authorize(gate, user, "nestor.plant.example", "server")


async def test_nobody_gets_a_server_certificate_for_the_name_of_a_layer(base: Path) -> None:
    layers = {"layer2": {"hostnames": "GW2.plant.example, 10.0.2.1"}, "layer1": {}}
    gate = build(base, {"layers": layers, "users": {"line1": {**LINE1, "names": "*", "profiles": "*"}}})
    user = await gate.identify(password("line1", "right"), DEFAULT)
    for name in ("gw2.plant.example", "10.0.2.1", "nestor.plant.example"):
        with pytest.raises(Forbidden, match="belongs to this server, or to that of another layer"):
            authorize(gate, user, name, "server")
    assert authorize(gate, user, "gw3.plant.example", "server") == "gw3.plant.example"


async def test_nothing_written_lets_nobody_in(base: Path) -> None:
    gate = build(base, {})
    with pytest.raises(Unauthenticated):
        await gate.identify(password("line1", "right"), DEFAULT)
    with pytest.raises(Unauthenticated):
        await gate.identify(Credentials("192.0.2.1", certificate=FACTORY.sign("dev1").certificate), DEFAULT)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"users": {"line1": {"passwordHash": "file:missing"}}}, "cannot be read"),
        ({"users": {"line1": {"passwordHash": "env:NESTOR_TEST_HASH_NOT_SET"}}}, "is not set"),
        ({"users": {"line1": {"passwordHash": "file:factory.pem"}}}, "neither argon2id nor scrypt"),
        ({"users": {"a:b": LINE1}}, "cannot be the name of a user"),
        ({"users": {"line1": LINE1, "LINE1": LINE1}}, "two users"),
        ({"usersFile": "file:factory.pem"}, "does not hold"),
        ({"bootstrap": {"factory": {"anchors": "file:missing.pem"}}}, "cannot be read"),
        ({"bootstrap": {"factory": {"anchors": "file:line1.hash"}}}, "no readable PEM"),
        ({"bootstrap": {"factory": {"anchors": "file:own.pem"}}}, "own, above it, or below it"),
        ({"bootstrap": {"a": MAKER, "b": MAKER}}, "share the anchor"),
        ({"forwarders": {"gw1": {**FORWARDER, "anchors": "file:own.pem"}}}, "own, above it, or below it"),
        ({"bootstrap": {"factory": {**MAKER, "crls": "file:factory.pem"}}}, "no readable revocation list"),
    ],
)
def test_what_cannot_be_used_is_told_before_anyone_is_let_in(base: Path, document: dict[str, Any], reason: str) -> None:
    (base / "own.pem").write_bytes(CA.pem)
    with pytest.raises(MaterialError, match=reason):
        build(base, document)
