"""The process over time, without its port: what its look around finds, and heals, without hands."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nestor.app.authority import Source, make_ca, make_ca_below
from nestor.errors import CannotIssue
from nestor.ledger.sqlite import SQLiteLedger
from support.issuing import DAY, HandClock
from support.stages import Stage

BOOT = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


async def test_a_first_start_by_a_clock_that_was_not_set_makes_its_ca_once_the_clock_is_right(
    timed: Stage, clock: HandClock
) -> None:
    right, clock.wall = clock.wall, BOOT
    server = await timed.open()
    assert "1970-01-01" in server.house.problems()["ca"]
    await server.look_for_changes()
    assert not (timed.data / "ca").exists()
    clock.wall = right
    await server.look_for_changes()
    assert server.house.problems() == {}
    (root,) = server.house.authority.ca_certificates()
    assert root.not_valid_before_utc <= right
    server.house.identity.certificate.verify_directly_issued_by(root)
    ledger = timed.grounds[0].ledger
    assert isinstance(ledger, SQLiteLedger)
    assert await ledger.pinned_authority() is not None


def test_no_ca_is_made_by_hand_while_the_clock_is_not_set(timed: Stage, clock: HandClock, tmp_path: Path) -> None:
    clock.wall = BOOT
    source = Source(timed.read(), timed.data, clock, timed.told.append)
    for make in (make_ca, lambda source: make_ca_below(source, tmp_path / "offline", "CN=Issuing", DAY)):
        with pytest.raises(CannotIssue, match="before the time of this program"):
            make(source)
    assert not (timed.data / "ca").exists()
    assert not (tmp_path / "offline").exists()


async def test_a_key_that_comes_back_is_taken_up_again(timed: Stage) -> None:
    await timed.open()
    await timed.close()
    key = timed.data / "ca" / "key.pem"
    key.rename(timed.data / "aside")
    server = await timed.open()
    await server.look_for_changes()
    assert "ca" in server.house.problems()
    (timed.data / "aside").rename(key)
    await server.look_for_changes()
    assert server.house.problems() == {}


async def test_a_reload_hears_that_the_clock_was_accepted(timed: Stage, clock: HandClock) -> None:
    server = await timed.open()
    clock.pass_by(61 * DAY)
    await server.look_for_changes()
    await timed.close()
    clock.wall -= DAY
    server = await timed.open()
    assert "accept-clock" in server.house.problems()["ca"]
    ledger = timed.grounds[0].ledger
    assert isinstance(ledger, SQLiteLedger)
    await ledger.reset_clock_floor(clock.wall)
    await server.reload()
    assert server.house.problems() == {}
