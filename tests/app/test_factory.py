"""A factory opens where something can be issued, and says why where it cannot."""

import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nestor.app.authority import Source
from nestor.app.factory import Factory, open_factory
from nestor.errors import CannotIssue, Forbidden, MaterialError, SettingsError
from nestor.est import pkcs10
from nestor.ledger.opening import open_ledger
from nestor.model import Errand, KeyType
from nestor.settings import judge
from support import shapes
from support.factories import founded
from support.issuing import DAY, HandClock, root
from support.process import Mortal


def use(source: Source, lifetime: timedelta | None = None) -> Factory:
    """Open a factory and close it again; what it told of itself stays."""

    async def open_it() -> Factory:
        async with open_factory(source, lifetime) as factory:
            return factory

    return asyncio.run(open_it())


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return founded(tmp_path / "data")


def test_a_factory_shows_the_chain_and_the_profiles(source: Source) -> None:
    factory = use(source)
    assert len(factory.chain) == 1
    factory.check_profile("bootstrap")
    with pytest.raises(SettingsError, match="no profile ownServer"):
        factory.check_profile("ownServer")


def test_a_lifetime_counts_for_every_profile(source: Source) -> None:
    assert use(source, 7 * DAY).catalog["server"].lifetime == 7 * DAY
    with pytest.raises(SettingsError):
        use(source, timedelta(seconds=1))


def test_the_kind_of_a_made_key_is_one_that_the_profile_takes(source: Source) -> None:
    factory = use(source)
    assert factory.key_type("bootstrap", None) is KeyType.EC_P256
    assert factory.key_type("bootstrap", KeyType.RSA) is KeyType.RSA
    with pytest.raises(SettingsError, match="takes no key of the kind ed25519"):
        factory.key_type("bootstrap", KeyType.ED25519)


def test_where_there_is_no_ca_the_next_step_is_told(tmp_path: Path) -> None:
    source = Source(judge({}), tmp_path, HandClock(), lambda _: None)
    with pytest.raises(MaterialError, match="no CA") as caught:
        use(source)
    assert caught.value.hint == "Make one: nestor ca init."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lost", "why"), [("ca/key.pem", "key"), ("ca", "cannot be read"), ("ledger.db", "ledger .* is gone")]
)
def test_what_is_lost_is_said_and_not_made_anew(source: Source, lost: str, why: str) -> None:
    place = source.data / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(MaterialError, match=why):
        use(source)
    assert not place.exists()


def test_a_key_that_needs_a_passphrase_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_TEST_PASS", "correct horse")
    source = founded(tmp_path / "data", {"keys": {"passphrase": "env:NESTOR_TEST_PASS"}})
    use(source)
    with pytest.raises(MaterialError, match="encrypted, and no passphrase"):
        use(replace(source, settings=judge({})))


def test_the_ca_of_another_ledger_is_refused(source: Source) -> None:
    async def pin() -> None:
        ledger = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock)
        await ledger.pin_authority(root().fingerprint)
        await ledger.close()

    asyncio.run(pin())
    with pytest.raises(MaterialError, match="not the one that the ledger knows"):
        use(source)


@pytest.mark.parametrize("days", [-3000, 30 * 365])
def test_a_clock_that_is_wrong_or_a_ca_that_ended_is_said(source: Source, days: int) -> None:
    there = HandClock(wall=datetime.now(UTC) + days * DAY)  # noqa: TID251 -- the CA was made now
    with pytest.raises(CannotIssue):
        use(replace(source, clock=there))


def test_a_clock_behind_the_newest_certificate_is_said(source: Source) -> None:
    async def move_floor() -> None:
        ledger = open_ledger(source.settings.ledger, source.data, create=False, clock=source.clock)
        await ledger.reset_clock_floor(source.clock.now() + DAY)
        await ledger.close()

    asyncio.run(move_floor())
    with pytest.raises(CannotIssue, match="clock") as caught:
        use(source)
    assert "accept-clock" in caught.value.hint


def test_names_that_the_server_has_shown_are_its_own_whatever_the_settings_say(tmp_path: Path) -> None:
    server = Mortal(tmp_path, {}, extra=("--hostname", "gw3.plant.example", "--listen", "127.0.0.1"))
    with server:
        pass
    source = Source(judge({}), server.data, HandClock(datetime.now(UTC)), lambda _: None)  # noqa: TID251 -- it ran now

    async def ask() -> None:
        async with open_factory(source) as factory:
            await factory.counter.issue(Errand(pkcs10.read(shapes.server("gw3.plant.example").der), "server"))

    with pytest.raises(Forbidden, match="belongs to this server"):
        asyncio.run(ask())
