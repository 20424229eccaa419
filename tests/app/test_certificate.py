"""The certificate that the server shows over time: renewed in time, never for nothing, and never lost for long."""

from datetime import timedelta
from pathlib import Path

from cryptography import x509

from nestor.app.server import Server
from nestor.events import SettingsRefused
from nestor.ledger.sqlite import SQLiteLedger
from support import pki
from support.device import Identity
from support.issuing import DAY, HandClock
from support.stages import Stage

YEAR = 365 * DAY


async def _start_again(timed: Stage) -> Server:
    await timed.close()
    return await timed.open()


def _shown(server: Server) -> x509.Certificate:
    return server.house.identity.certificate


async def test_the_look_around_renews_it_after_two_thirds_of_its_life(timed: Stage, clock: HandClock) -> None:
    server = await timed.open()
    first = _shown(server)
    clock.pass_by(59 * DAY)
    await server.look_for_changes()
    assert _shown(server) == first
    clock.pass_by(2 * DAY)
    await server.look_for_changes()
    assert _shown(server).not_valid_before_utc > first.not_valid_before_utc
    assert server.house.identity.chain[1:] == tuple(server.house.authority.ca_certificates())


async def test_one_from_files_is_never_renewed(timed: Stage, clock: HandClock, tmp_path: Path) -> None:
    certificate, key = pki.write(tmp_path, pki.authority().issue("gw3", server=True, days=1))
    timed.document = {
        "listener": {
            "serverCertificate": {"source": "file", "certificate": f"file:{certificate}", "key": f"file:{key}"}
        }
    }
    server = await timed.open()
    house = server.house
    clock.pass_by(house.identity.certificate.not_valid_after_utc + DAY - clock.wall)
    await server.look_for_changes()
    assert server.house is house
    assert house.problems() == {}


async def test_none_is_issued_that_would_not_last_longer(timed: Stage, clock: HandClock) -> None:
    timed.document = {"ca": {"lifetime": "80d"}}
    server = await timed.open()
    first = _shown(server)
    assert first.not_valid_after_utc == server.house.authority.ca_certificates()[0].not_valid_after_utc
    clock.pass_by(75 * DAY)
    await server.look_for_changes()
    assert _shown(server) == first
    assert _shown(await _start_again(timed)) == first


async def test_other_names_are_served_until_the_ca_ends(timed: Stage, clock: HandClock) -> None:
    timed.document = {"ca": {"lifetime": "80d"}}
    await timed.open()
    clock.pass_by(79 * DAY)
    timed.document |= {"listener": {"hostnames": "gw4.plant.example"}}
    server = await _start_again(timed)
    assert "too soon" in server.house.problems()["ca"]
    clock.pass_by(2 * DAY)
    assert "ended at" in (await _start_again(timed)).house.problems()["ca"]


async def test_one_of_a_clock_that_was_ahead_is_replaced_once_the_clock_is_accepted(
    timed: Stage, clock: HandClock
) -> None:
    await timed.open()
    clock.wall += YEAR
    ahead = _shown(await _start_again(timed))
    clock.wall -= YEAR
    server = await _start_again(timed)
    await server.look_for_changes()
    assert _shown(server) == ahead, "nothing is issued by a clock that is not believed"
    ledger = timed.grounds[0].ledger
    assert isinstance(ledger, SQLiteLedger)
    await ledger.reset_clock_floor(clock.wall)
    await server.look_for_changes()
    assert _shown(server).not_valid_before_utc <= clock.wall
    assert server.house.problems() == {}


async def test_a_stopgap_is_shown_no_longer_than_it_must(timed: Stage, clock: HandClock) -> None:
    await timed.open()
    (timed.data / "server-certificate.pem").unlink()
    clock.wall -= timedelta(hours=1)
    server = await _start_again(timed)
    assert "cannot issue" in _shown(server).subject.rfc4514_string()
    clock.wall += timedelta(hours=1)
    await server.look_for_changes()
    _shown(server).verify_directly_issued_by(server.house.authority.ca_certificates()[0])


async def test_what_was_shown_is_shown_with_its_chain_while_the_clock_is_wrong(
    timed: Stage, clock: HandClock, tmp_path: Path
) -> None:
    root = pki.authority()
    issuing = root.intermediate("Issuing")
    certificates, key = pki.write(tmp_path, Identity(issuing.certificate, issuing.key, (root.certificate,)))
    key.chmod(0o600)
    timed.document = {"ca": {"source": "file", "certificate": f"file:{certificates}", "key": f"file:{key}"}}
    clock.wall = pki.yesterday() + DAY
    chain = (await timed.open()).house.identity.chain
    assert len(chain) == 3
    clock.wall -= timedelta(hours=1)
    identity = (await _start_again(timed)).house.identity
    assert identity.chain == chain


async def test_the_last_one_is_shown_where_another_cannot_be_recorded(timed: Stage, clock: HandClock) -> None:
    server = await timed.open()
    first = _shown(server)
    (timed.data / "ledger.db").unlink()
    clock.pass_by(61 * DAY)
    await server.look_for_changes()
    assert _shown(server) == first
    assert "ledger" in server.house.problems()
    assert not [event for event in timed.told if isinstance(event, SettingsRefused)]
    assert server.house.identity.is_due(clock.wall), "as soon as there is a ledger again"
