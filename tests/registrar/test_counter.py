"""An operator's errand: issued once, found again for as long as it lives, refused by the rules of everyone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from nestor.access.host import HostGate
from nestor.access.policy import Rules, reserve
from nestor.ca.authority import LocalAuthority
from nestor.ca.clock_guard import ClockGuard
from nestor.errors import CannotIssue, Forbidden, Malformed
from nestor.est import pkcs10
from nestor.keys.make import generate
from nestor.model import Errand, Method, State
from nestor.registrar.counter import Counter, Handed
from support import shapes
from support.asking import NOW
from support.entries import an_entry
from support.issuing import DAY, HandClock, catalog, changed, own_names, root
from support.ledgers import opened
from support.memory import MemoryLedger

OWN = ["nestor.plant.example"]


class Host:
    """A counter and what stands behind it."""

    def __init__(self, **profiles: dict[str, object]) -> None:
        self.clock = HandClock()
        self.ledger = MemoryLedger()
        kinds = changed(profiles) if profiles else catalog()
        own = own_names(OWN)
        authority = LocalAuthority(root(), kinds, ClockGuard(self.clock), own=own, make_key=generate)
        self.counter = Counter(
            gate=HostGate("alice", Rules(("gw-*",), reserve(OWN))),
            profiles=kinds,
            authority=authority,
            ledger=self.ledger,
            clock=self.clock,
        )

    async def issue(self, asked: shapes.Request, profile: str = "bootstrap", **errand: Any) -> Handed:
        return await self.counter.issue(Errand(pkcs10.read(asked.der), profile, **errand))


@pytest.fixture
def host() -> Host:
    return Host()


PUMP = shapes.request("pump7")


async def test_a_certificate_is_recorded_as_the_operators(host: Host) -> None:
    handed = await host.issue(PUMP)
    assert not handed.found
    (entry,) = host.ledger.entries
    assert entry == handed.entry
    assert (entry.method, entry.requester, entry.origin) == (Method.OPERATOR, "alice", Method.OPERATOR)
    assert (entry.device, entry.profile, entry.label, entry.address) == ("pump7", "bootstrap", "", "")
    assert entry.csr_sha256 == pkcs10.read(PUMP.der).sha256
    certificate = x509.load_der_x509_certificate(entry.der)
    certificate.verify_directly_issued_by(root().certificate)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=3), 300 * DAY])
async def test_the_same_errand_gets_the_same_certificate_while_it_lives(host: Host, later: timedelta) -> None:
    first = await host.issue(PUMP)
    host.clock.pass_by(later)
    again = await host.issue(PUMP)
    assert again.found
    assert again.entry.sha256 == first.entry.sha256
    assert len(host.ledger.entries) == 1


async def test_an_errand_whose_certificate_expired_gets_a_new_one(host: Host) -> None:
    first = await host.issue(PUMP)
    host.clock.pass_by(366 * DAY)
    assert (await host.issue(PUMP)).entry.sha256 != first.entry.sha256


async def test_a_superseded_certificate_is_still_the_one_that_the_errand_got(host: Host) -> None:
    first = await host.issue(PUMP)
    await host.issue(shapes.request("pump7", PUMP.key))
    assert host.ledger.entries[0].state is State.SUPERSEDED
    assert (await host.issue(PUMP)).entry.sha256 == first.entry.sha256


async def test_another_request_of_the_same_key_is_another_errand(host: Host) -> None:
    await host.issue(PUMP)
    assert not (await host.issue(shapes.request("pump7", PUMP.key))).found


async def test_a_key_that_was_made_here_is_one_errand_whatever_it_signs(host: Host) -> None:
    first = await host.issue(PUMP, by_key=True)
    host.clock.pass_by(DAY)
    again = await host.issue(shapes.request("pump7", PUMP.key), by_key=True)
    assert (again.found, again.entry.sha256) == (True, first.entry.sha256)


@pytest.mark.parametrize("later", [timedelta(0), DAY])
async def test_more_names_or_another_profile_are_another_errand(host: Host, later: timedelta) -> None:
    await host.issue(PUMP)
    host.clock.pass_by(later)
    more = await host.issue(PUMP, name="pump7", alternative_names=(x509.DNSName("pump7.example"),))
    other = await host.issue(PUMP, "deviceIdentity")
    assert not more.found
    assert not other.found
    assert (await host.issue(PUMP, name="pump7", alternative_names=(x509.DNSName("pump7.example"),))).found


async def test_two_who_bring_the_same_errand_at_once_get_one_certificate(host: Host, tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        host.counter._ledger = ledger
        one, other = await asyncio.gather(host.issue(PUMP), host.issue(PUMP))
        assert {one.found, other.found} == {False, True}
        assert one.entry.sha256 == other.entry.sha256
        assert len(await ledger.certificates_of_key(one.entry.spki_sha256)) == 1


async def test_a_revoked_key_gets_nothing_any_more(host: Host) -> None:
    first = await host.issue(PUMP)
    await host.ledger.revoke(first.entry.sha256, "stolen", NOW)
    for asked in (PUMP, shapes.request("pump7", PUMP.key)):
        with pytest.raises(Forbidden, match="revoked: stolen"):
            await host.issue(asked, replace=True)


async def test_a_live_name_gets_no_second_key_unless_told(host: Host) -> None:
    first = await host.issue(PUMP)
    other = shapes.request("pump7")
    with pytest.raises(Forbidden, match=f"another key already, serial {first.entry.serial:x}"):
        await host.issue(other)
    await host.issue(other, "deviceIdentity")
    assert not (await host.issue(other, replace=True)).found


async def test_a_revoked_certificate_makes_room_for_another_key(host: Host) -> None:
    first = await host.issue(PUMP)
    await host.ledger.revoke(first.entry.sha256, "lost", NOW)
    assert not (await host.issue(shapes.request("pump7"))).found


async def test_a_device_that_lives_by_a_password_is_not_taken_over_unless_told(host: Host) -> None:
    by_password = an_entry("pump7", not_after=NOW + DAY, issued_at=NOW - DAY)
    await host.ledger.record(by_password, replay=None, one_time=None)
    with pytest.raises(Forbidden, match="first got by password"):
        await host.issue(PUMP)
    replaced = await host.issue(PUMP, replace=True)
    assert (replaced.entry.method, replaced.entry.origin) == (Method.OPERATOR, Method.PASSWORD)


async def test_a_request_has_to_be_signed_by_its_key(host: Host) -> None:
    with pytest.raises(Malformed, match="not that of its key"):
        await host.issue(replace(PUMP, der=shapes.broken(PUMP)))


async def test_the_rules_of_the_profile_hold() -> None:
    host = Host(
        bootstrap={"keys": "rsa"}, deviceIdentity={"subject": {"commonName": "line1-*"}}, single={"keyReuse": False}
    )
    with pytest.raises(Forbidden, match="takes no key of the kind ec-p256"):
        await host.issue(PUMP)
    with pytest.raises(Forbidden, match="does not match"):
        await host.issue(PUMP, "deviceIdentity")
    await host.issue(PUMP, "server", name="pump7")
    with pytest.raises(Forbidden, match="certified before"):
        await host.issue(PUMP, "single")


async def test_a_ca_is_asked_for_or_not() -> None:
    host = Host()
    with pytest.raises(Forbidden, match="asks for a CA certificate"):
        await host.issue(shapes.edge_ca("gw-1"))
    with pytest.raises(Forbidden, match="does not ask for a CA certificate"):
        await host.issue(shapes.request("gw-1"), "edgeCa")
    assert (await host.issue(shapes.edge_ca("gw-1"), "edgeCa")).entry.device == "gw-1"
    with pytest.raises(Forbidden, match="not a gateway"):
        await host.issue(shapes.edge_ca("other"), "edgeCa")
    assert (await host.issue(shapes.edge_ca("other"), "edgeCa", name="other")).entry.device == "other"


async def test_the_names_of_this_server_are_not_given_away(host: Host) -> None:
    with pytest.raises(Forbidden, match="belongs to this server"):
        await host.issue(shapes.server(OWN[0]), "server")


async def test_a_clock_that_is_not_believed_issues_nothing(host: Host) -> None:
    await host.issue(PUMP)
    host.clock.wall = NOW - 2 * DAY
    with pytest.raises(CannotIssue, match="clock"):
        await host.issue(shapes.request("pump8"))
