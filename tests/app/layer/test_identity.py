"""The client certificate of this server: one for another name is not kept, and not asked for again at every look."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from nestor.app.authority import Source
from nestor.app.clock import SystemClock
from nestor.app.layer.identity import FILE, OwnIdentity
from nestor.app.layer.looking_after import JOB, Upkeep
from nestor.errors import Unavailable
from nestor.events import Event, Trouble
from nestor.keys.seals import Keyring
from nestor.settings import Settings, judge
from nestor.upstream.faults import BadAnswer
from support.foreign import PASSWORD, USER, Foreign
from support.server import free_port
from support.stages import TurnedClock

NAME = "layer2"


@pytest.fixture
def above(tmp_path: Path) -> Iterator[Foreign]:
    with Foreign(tmp_path) as foreign:
        yield foreign


@pytest.fixture
def source(above: Foreign, tmp_path: Path) -> Source:
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    return Source(_settings(above, above.base), tmp_path, SystemClock(), lambda _: None)


def _settings(above: Foreign, url: str) -> Settings:
    first = {"user": USER, "password": "file:password", "anchors": f"file:{above.anchor}"}
    return judge({"upstream": {"url": url, "identity": {"name": NAME}, **first}})


def _asked(above: Foreign) -> int:
    return sum(heard.method == "POST" for heard in above.heard)


async def test_a_certificate_for_another_name_is_not_kept_and_not_asked_for_at_every_look(
    above: Foreign, source: Source
) -> None:
    other = above.ca.issue("layer3").certificate.subject
    above.issue = lambda csr: above.certify(csr, subject=other)
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    with pytest.raises(BadAnswer, match="for layer3, and not for layer2"):
        await upkeep.look(source, Keyring(), own)
    assert not await upkeep.look(source, Keyring(), own)
    assert (_asked(above), own.current(), (source.data / FILE).exists()) == (1, None, False)


async def test_a_certificate_for_its_name_is_kept(above: Foreign, source: Source) -> None:
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    for _ in range(2):
        await upkeep.look(source, Keyring(), own)
    held = own.current()
    assert held is not None
    assert held.certificate.public_bytes(Encoding.PEM) in (source.data / FILE).read_bytes()
    assert _asked(above) == 1


async def test_a_parent_that_is_away_is_a_warning_until_what_there_is_from_it_is_close_to_its_end(
    above: Foreign, source: Source
) -> None:
    upkeep, own = Upkeep(), OwnIdentity(source.data, lambda: None)
    await upkeep.look(source, Keyring(), own)
    held = own.current()
    assert held is not None
    end = held.certificate.not_valid_after_utc  # of a life of thirty days
    told: list[Event] = []
    clock = TurnedClock()
    away = replace(source, clock=clock, sink=told.append, settings=_settings(above, f"https://localhost:{free_port()}"))
    clock.ahead = (end - timedelta(days=5) - source.clock.now()).total_seconds()
    assert not await upkeep.look(away, Keyring(), own)
    (trouble,) = told
    assert isinstance(trouble, Trouble)
    assert (trouble.about, trouble.passing) == (JOB, True)
    assert trouble.sentence.endswith(f"What there is lasts until {end:%Y-%m-%d %H:%M} UTC.")
    clock.ahead += timedelta(days=3).total_seconds()
    with pytest.raises(Unavailable, match="nobody listening"):
        await Upkeep().look(away, Keyring(), own)
